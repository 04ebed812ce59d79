//! A line for each request at `debug`, and one at `info` for each that would change something: the audit line, whose target
//! is `audit`.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Instrument, info_span};

use super::ErrorCode;
use crate::correlation;
use crate::http::access::Identity;
use crate::http::connections::Peer;
use crate::settings::Role;

/// What a request is about, where its path does not tell: the ID in the body of a POST.
#[derive(Clone, Default)]
pub(in crate::http) struct Subject(Arc<OnceLock<String>>);

impl Subject {
    pub(in crate::http) fn set(&self, backup_id: &str) {
        let _ = self.0.set(backup_id.to_owned());
    }
}

pub(super) async fn record(mut request: Request, next: Next) -> Response {
    let mut line = Line::of(&mut request);
    // Whatever is logged for this request, in the background too, carries its ID.
    let span = info_span!("request", id = line.request_id);
    let response = next.run(request).instrument(span).await;
    line.status = Some(response.status());
    line.error = response.extensions().get::<ErrorCode>().map(|ErrorCode(code)| code.clone());
    response
}

/// Is written when this is dropped: also if the caller hangs up before there is a response.
struct Line {
    since: Instant,
    request_id: String,
    identity: Option<Identity>,
    peer: Option<SocketAddr>,
    method: Method,
    path: String,
    subject: Subject,
    /// `None`: the caller did not wait for the response.
    status: Option<StatusCode>,
    error: Option<String>,
}

impl Line {
    fn of(request: &mut Request) -> Self {
        /// A path can be of any length.
        const MAX_PATH: usize = 500;
        let subject = Subject::default();
        request.extensions_mut().insert(subject.clone());
        let extensions = request.extensions();
        Self {
            since: Instant::now(),
            request_id: correlation::current().map(|current| current.id().to_owned()).unwrap_or_default(),
            identity: extensions.get::<Identity>().cloned(),
            peer: extensions.get::<Peer>().map(|peer| peer.address),
            method: request.method().clone(),
            path: request.uri().to_string().chars().take(MAX_PATH).collect(),
            subject,
            status: None,
            error: None,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Self { request_id, method, path, .. } = &self;
        let caller = self.identity.as_ref().map(|identity| identity.name.as_str());
        let role = self.identity.as_ref().and_then(Identity::role).map(Role::name);
        let peer = self.peer.map(tracing::field::display);
        let backup = self.subject.0.get();
        let status = self.status.map(|status| status.as_u16());
        let error = self.error.as_deref();
        let took = self.since.elapsed();
        tracing::debug!(request_id, caller, role, peer, %method, path, status, error, ?took, "request");
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return;
        }
        let outcome = match self.status {
            None => "not awaited",
            Some(status) if status.is_success() => "done",
            Some(status) if status.is_server_error() => "failed",
            Some(_) => "refused",
        };
        tracing::info!(target: "audit", request_id, caller, role, peer, %method, path, backup, status, error, outcome, "audit");
    }
}
