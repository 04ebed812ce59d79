use std::time::Duration;

use crate::Request;

/// Sends requests to Elasticsearch or OpenSearch. The operations do all their I/O through it.
pub trait Engine {
    /// Sends a request and waits for the response, whatever its status.
    ///
    /// # Errors
    /// If there is no response.
    fn send(&self, request: &Request) -> Result<Response, TransportError>;

    /// Sends a request that can take minutes. `None`: it was sent, and the engine is still working on it.
    ///
    /// # Errors
    /// If there is no response, and there will be none.
    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError>;
}

/// An engine's response, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`: how long to wait before the next attempt.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: String,
}

/// Why there is no response. The difference between the cases is whether the engine may have executed the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The host does not grant the request. It was not sent.
    #[error("{0}")]
    Denied(String),
    /// No connection. The request was not sent.
    #[error("{0}")]
    Unreachable(String),
    /// The connection ended early or the request timed out. The engine may have executed it.
    #[error("{0}")]
    Interrupted(String),
    /// The response is too large or not text. The engine has executed the request.
    #[error("{0}")]
    Unreadable(String),
}
