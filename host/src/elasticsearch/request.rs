use std::fmt;
use std::time::Duration;

/// What to do with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Create.
    Put,
    /// Remove.
    Delete,
}

/// A request in parts, so that there is no text to argue about: nothing here is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// The path's segments: `["_snapshot", "backups", "name"]`.
    pub path: Vec<String>,
    /// The query's names and values.
    pub query: Vec<(String, String)>,
    /// A JSON document.
    pub body: Option<String>,
}

/// An engine's answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// How long the engine asks to wait, from its `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The body as text.
    pub body: String,
}

/// Why there is no answer. The texts are for operators and hold no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request is not granted. It was not sent.
    #[error("the host denied the request: {0}")]
    Denied(String),
    /// No connection. The request was not sent.
    #[error("the engine cannot be reached: {0}")]
    Unreachable(String),
    /// The connection ended early or the time was up. The engine may have acted on the request.
    #[error("the engine's answer did not arrive: {0}")]
    Interrupted(String),
    /// The answer is over the size limit or is not text. The engine has acted.
    #[error("the engine's answer cannot be used: {0}")]
    Unreadable(String),
}

/// As HTTP writes it: `GET`.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        })
    }
}

/// Method and path, for messages: `GET /_snapshot/backups/camunda_optimize_12_*`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.method)?;
        self.path.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}
