//! The errors that every host has: status, code and text.

use std::borrow::Cow;

use backup_core::ErrorKind;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

/// What is wrong with a request, found before the policy is called.
#[allow(missing_docs, reason = "each case is explained by its message")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("the backup id in the path cannot be read: it is not UTF-8 when its percent signs are decoded")]
    UnreadableId,
    #[error("the field backupId is missing; send {{\"backupId\": 123456}}")]
    BackupIdMissing,
    #[error("the request body is not a JSON object as it is to be: {reason}; send {example}")]
    MalformedBody { reason: String, example: &'static str },
    #[error("the request body is larger than 64 KiB or did not arrive")]
    BodyTooLarge,
    #[error("the content type {} is not supported; send the header Content-Type: application/json", .0.as_deref().unwrap_or("(none)"))]
    NotJson(Option<String>),
    #[error(
        "a restore replaces the indices of '{prefix}': to confirm that, send {{\"dryRun\": false, \"confirm\": \"{prefix}\"}}; {{\"dryRun\": true}} tells what it would do"
    )]
    NotConfirmed { prefix: String },
    #[error("a parameter of the query is wrong: {reason}; allowed are {allowed}")]
    InvalidParameter { reason: String, allowed: &'static str },
    #[error("{0} is not allowed here; the header Allow lists what is")]
    MethodNotAllowed(Method),
    #[error("there is nothing at {0}; GET /actuator lists what there is")]
    UnknownPath(String),
}

impl RequestError {
    /// The body is not what it is to be like.
    pub(crate) fn malformed_body(reason: &dyn std::fmt::Display, example: &'static str) -> Self {
        Self::MalformedBody { reason: reason.to_string(), example }
    }

    /// There is no such path.
    #[must_use]
    pub fn unknown_path(path: &str) -> Self {
        Self::UnknownPath(path.chars().take(200).collect())
    }

    /// A parameter of the query is none of those that are allowed.
    #[must_use]
    pub fn invalid_parameter(reason: &str, allowed: &'static str) -> Self {
        Self::InvalidParameter { reason: reason.chars().take(300).collect(), allowed }
    }
}

/// The status and code of every error, for [`RequestError::classify`] and [`RequestError::CODES`].
macro_rules! table {
    ($($variant:ident is $status:ident: $code:literal),+ $(,)?) => {
        impl RequestError {
            /// The status and the code of every error.
            pub const CODES: &[(StatusCode, &'static str)] = &[$((StatusCode::$status, $code)),+];

            /// The status and the code.
            #[must_use]
            pub fn classify(&self) -> (StatusCode, &'static str) {
                match self {
                    $(Self::$variant { .. } => (StatusCode::$status, $code)),+
                }
            }
        }
    };
}

table! {
    UnreadableId is BAD_REQUEST: "invalidBackupId",
    BackupIdMissing is BAD_REQUEST: "backupIdMissing",
    MalformedBody is BAD_REQUEST: "malformedBody",
    NotConfirmed is BAD_REQUEST: "restoreNotConfirmed",
    BodyTooLarge is PAYLOAD_TOO_LARGE: "bodyTooLarge",
    NotJson is UNSUPPORTED_MEDIA_TYPE: "unsupportedMediaType",
    InvalidParameter is BAD_REQUEST: "invalidParameter",
    MethodNotAllowed is METHOD_NOT_ALLOWED: "methodNotAllowed",
    UnknownPath is NOT_FOUND: "unknownPath",
}

/// The status for a policy's error.
#[must_use]
pub fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::Configuration => StatusCode::BAD_REQUEST,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Unreachable => StatusCode::BAD_GATEWAY,
        ErrorKind::EngineFailure | ErrorKind::Denied => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An error.
// The fields are those of Optimize's API. Hosts write it, and clients read it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Error))]
pub struct ErrorBody<'a> {
    /// A stable word in camelCase, one for each case.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub error_code: Cow<'a, str>,
    /// What, why and what to do.
    pub error_message: String,
    /// The engine's own explanation, or what was found.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required))]
    pub detailed_message: Option<Cow<'a, str>>,
}
