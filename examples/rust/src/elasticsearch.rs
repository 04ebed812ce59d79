//! The only capability that a host gives to a policy: requests to Elasticsearch.

use std::io::ErrorKind;
use std::time::Duration;

use backup_core as core;
use backup_elasticsearch::{Grants, Scope};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::{self, header::RETRY_AFTER};
use ureq::{Agent, Error, Timeout};

use crate::bindings::optimize::backup::elasticsearch::{Host, Method, Request, Response, TransportError};
use crate::bindings::optimize::backup::types;

/// A deletion is answered when it is done, which can take minutes.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(600);
const MAX_RESPONSE_BYTES: u64 = 32 << 20;

/// All but what needs no encoding anywhere; Elasticsearch does not know `%5Fsnapshot`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Sends the requests of a policy to Elasticsearch at one address, as far as they are granted.
pub(crate) struct Elasticsearch {
    url: String,
    agent: Agent,
    grants: Grants,
    /// The policy's current call, which decides what it may write.
    pub(crate) scope: Scope,
}

impl Elasticsearch {
    pub(crate) fn at(url: String, grants: Grants) -> Self {
        // A status of 400 is a response as well, which the policy evaluates.
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(REQUEST_TIMEOUT));
        Self { url, agent: config.build().into(), grants, scope: Scope::Read }
    }

    /// Grants a policy only what a backup needs: a list deletes nothing, and a DELETE only its own backup.
    fn check(&self, request: Request) -> Result<core::Request, TransportError> {
        let Request { method, path, query, body } = request;
        let method = match method {
            Method::Get => core::Method::Get,
            Method::Put => core::Method::Put,
            Method::Post => core::Method::Post,
            Method::Delete => core::Method::Delete,
        };
        let granted = self.grants.check(core::Request { method, path, query, body }, self.scope.clone());
        granted.map(|granted| granted.request().clone()).map_err(|denial| TransportError::Denied(denial.to_string()))
    }

    /// Path and query come in parts: nothing in them can be mistaken for a part of the URL.
    fn uri(&self, request: &core::Request) -> String {
        let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        let path: Vec<String> = request.path.iter().map(|segment| encode(segment)).collect();
        let query: Vec<String> =
            request.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        format!("{}/{}?{}", self.url.trim_end_matches('/'), path.join("/"), query.join("&"))
    }
}

impl Host for Elasticsearch {
    fn send(&mut self, request: Request) -> Result<Response, TransportError> {
        let request = self.check(request)?;
        let method = request.method.to_string();
        let uri = self.uri(&request);
        let http = http::Request::builder().method(method.as_str()).uri(uri).header("content-type", "application/json");
        let http =
            http.body(request.body.unwrap_or_default()).map_err(|fault| TransportError::Denied(fault.to_string()))?;
        let mut response = self.agent.run(http).map_err(no_response)?;
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let body = response.body_mut().with_config().limit(MAX_RESPONSE_BYTES).read_to_string();
        Ok(Response {
            status: response.status().as_u16(),
            retry_after: seconds.map(|seconds| seconds.saturating_mul(1000)),
            body: body.map_err(no_response)?,
        })
    }

    /// This host waits for the response. One that serves others meanwhile returns `None` after a moment.
    fn submit(&mut self, request: Request) -> Result<Option<Response>, TransportError> {
        self.send(request).map(Some)
    }
}

impl types::Host for Elasticsearch {}

/// The policy has to know whether the engine may have executed the request.
fn no_response(error: Error) -> TransportError {
    let text = error.to_string();
    match error {
        Error::HostNotFound | Error::ConnectionFailed | Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            TransportError::Unreachable(text)
        }
        Error::Io(fault) if fault.kind() == ErrorKind::ConnectionRefused => TransportError::Unreachable(text),
        Error::Io(fault) if fault.kind() == ErrorKind::InvalidData => TransportError::Unreadable(text),
        Error::BodyExceedsLimit(_) => TransportError::Unreadable(text),
        _ => TransportError::Interrupted(text),
    }
}
