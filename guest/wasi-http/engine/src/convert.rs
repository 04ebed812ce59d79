use backup_core::{Method, Request, Response, TransportError};

use crate::bindings::exports::optimize::backup::elasticsearch as wit;

impl From<wit::Request> for Request {
    fn from(request: wit::Request) -> Self {
        Self {
            method: match request.method {
                wit::Method::Get => Method::Get,
                wit::Method::Put => Method::Put,
                wit::Method::Delete => Method::Delete,
            },
            path: request.path,
            query: request.query,
            body: request.body,
        }
    }
}

impl From<Response> for wit::Response {
    fn from(response: Response) -> Self {
        let retry_after = response.retry_after.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        Self { status: response.status, retry_after, body: response.body }
    }
}

impl From<TransportError> for wit::TransportError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Denied(text) => Self::Denied(text),
            TransportError::Unreachable(text) => Self::Unreachable(text),
            TransportError::Interrupted(text) => Self::Interrupted(text),
            TransportError::Unreadable(text) => Self::Unreadable(text),
        }
    }
}
