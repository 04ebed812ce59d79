//! In place of the host's module of this name: the parser of bodies without the rest of the server.

use axum::response::{IntoResponse, Response};

#[path = "../../host/src/http/body.rs"]
#[allow(dead_code, reason = "the extractor around the parser is included with it")]
mod body;

/// The errors of the host's type of this name that come of a body.
#[derive(Debug)]
pub enum ApiError {
    /// The body has no id.
    BackupIdMissing,
    /// The body is not a JSON object.
    MalformedBody(String),
    /// The body is over the limit.
    BodyTooLarge,
    /// The body is declared as something else.
    NotJson(Option<String>),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        format!("{self:?}").into_response()
    }
}

/// The id in the body of a POST, as the caller wrote it.
///
/// # Errors
/// What is wrong with the body.
pub fn backup_id(body: &[u8]) -> Result<String, ApiError> {
    body::CreateRequest::parse(body).map(|request| request.backup_id)
}
