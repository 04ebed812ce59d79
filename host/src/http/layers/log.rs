//! A line for each request at `debug`, and one at `info` for each that would change something: the audit line, whose target
//! is `audit`.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use backup_core::milliseconds;
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
    let span = info_span!("request", requestId = line.request_id);
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

impl Line {
    /// The backup that the path or the body names.
    fn backup_id(&self) -> Option<u64> {
        let in_path = || self.path.strip_prefix("/actuator/backups/")?.split(['/', '?']).next();
        self.subject.0.get().map(String::as_str).or_else(in_path)?.parse().ok()
    }
}

impl Drop for Line {
    #[allow(non_snake_case, reason = "the names of fields in the log")]
    fn drop(&mut self) {
        let identity = self.identity.as_ref();
        let (caller, role) = (identity.map(|it| it.name.as_str()), identity.and_then(Identity::role).map(Role::name));
        let Self { request_id: requestId, method, path, .. } = &self;
        let (peer, backupId) = (self.peer.map(tracing::field::display), self.backup_id());
        let (status, errorCode) = (self.status.map(|status| status.as_u16()), self.error.as_deref());
        let tookMilliseconds = milliseconds(self.since.elapsed());
        tracing::debug!(requestId, caller, role, peer, %method, path, status, errorCode, tookMilliseconds, "request");
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return;
        }
        let outcome = match self.status {
            None => "not awaited",
            Some(status) if status.is_success() => "done",
            Some(status) if status.is_server_error() => "failed",
            Some(_) => "refused",
        };
        tracing::info!(
            target: "audit",
            requestId, caller, role, peer, %method, path, backupId, status, errorCode, outcome,
            "audit"
        );
    }
}
