//! A request as it came.

use anyhow::{Context, Result};
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use hyper::header::HeaderMap;

/// A request that the proxy got.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The verb.
    pub method: Method,
    /// The path and the query, as they were sent: `/_snapshot/backups/_all?verbose=false`.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
}

impl Request {
    pub(super) async fn read(request: hyper::Request<Incoming>) -> Result<Self> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.context("the request's body")?.to_bytes();
        Ok(Self {
            method: head.method,
            path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// Whether a host has sent it for its health, and not for a caller or a run.
    #[must_use]
    pub fn checks_health(&self) -> bool {
        self.headers.get("x-opaque-id").is_some_and(|id| id == "optimize-backup-health")
    }

    /// Whether it can change something, by its verb.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !self.method.is_safe()
    }
}
