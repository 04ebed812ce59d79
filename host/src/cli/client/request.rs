use std::time::Duration;

use http::Method;

/// Longer than what the server gives itself for a call.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// A request to the API, whichever way it goes.
pub(super) struct ApiRequest {
    pub(super) method: Method,
    /// Begins with a slash.
    pub(super) path: String,
    pub(super) query: Option<String>,
    /// JSON.
    pub(super) body: Option<String>,
    pub(super) timeout: Duration,
}

impl ApiRequest {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: None, body: None, timeout: REQUEST_TIMEOUT }
    }
}
