use std::time::Duration;

use backup_core::{Engine, Method, Request, Response, TransportError};

use crate::bindings::optimize::backup::elasticsearch as wit;

/// The engine that the host lends us.
pub(crate) struct Imported;

impl Engine for Imported {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        Ok(wit::send(&to_wit(request)).map_err(from_wit_error)?.into())
    }

    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError> {
        Ok(wit::submit(&to_wit(request)).map_err(from_wit_error)?.map(Into::into))
    }
}

fn to_wit(request: &Request) -> wit::Request {
    wit::Request {
        method: match request.method {
            Method::Get => wit::Method::Get,
            Method::Put => wit::Method::Put,
            Method::Delete => wit::Method::Delete,
        },
        path: request.path.clone(),
        query: request.query.clone(),
        body: request.body.clone(),
    }
}

impl From<wit::Response> for Response {
    fn from(response: wit::Response) -> Self {
        Self {
            status: response.status,
            retry_after: response.retry_after.map(Duration::from_millis),
            body: response.body,
        }
    }
}

fn from_wit_error(error: wit::TransportError) -> TransportError {
    match error {
        wit::TransportError::Denied(text) => TransportError::Denied(text),
        wit::TransportError::Unreachable(text) => TransportError::Unreachable(text),
        wit::TransportError::Interrupted(text) => TransportError::Interrupted(text),
        wit::TransportError::Unreadable(text) => TransportError::Unreadable(text),
    }
}
