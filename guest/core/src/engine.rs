use std::time::Duration;

use crate::Request;

/// The one thing that the operations need from outside: an engine that answers requests.
pub trait Engine {
    /// Sends a request and waits for the answer, whatever its status.
    ///
    /// # Errors
    /// If there is no answer.
    fn send(&self, request: &Request) -> Result<Response, TransportError>;

    /// Sends a request that can take minutes. `None`: the engine has it and is still at it.
    ///
    /// # Errors
    /// If there is no answer, and there will be none.
    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError>;
}

/// An engine's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// How long the engine asks to wait before the next attempt.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The host does not grant the request. It was not sent.
    #[error("{0}")]
    Denied(String),
    /// No connection. The request was not sent.
    #[error("{0}")]
    Unreachable(String),
    /// The connection ended early or the time was up. The engine may have acted.
    #[error("{0}")]
    Interrupted(String),
    /// The answer is too large or not text. The engine has acted.
    #[error("{0}")]
    Unreadable(String),
}
