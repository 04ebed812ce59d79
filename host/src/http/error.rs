use std::any::Any;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use backup_actuator::{ErrorBody, RequestError, status_of};
use backup_core::ErrorKind;

use super::access::AccessError;
use super::layers::ErrorCode;
use crate::policy::RollbackError;
use crate::policy::admission::AdmissionError;
use crate::policy::shadow::NoShadow;
use crate::sandbox::CallError;

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("the server is about to stop")]
    Stopping,
    #[error("the policy is larger than {allowed} bytes (policy.maxBytes) or did not arrive")]
    PolicyTooLarge { allowed: usize },
    #[error("the policy is refused, and the serving one stays: {0}")]
    PolicyRefused(#[from] AdmissionError),
    #[error(transparent)]
    Rollback(#[from] RollbackError),
    #[error(transparent)]
    NoShadow(#[from] NoShadow),
    #[error(
        "the log level is not readable: {0}; allowed are OFF, ERROR, WARN, INFO, DEBUG and TRACE: send {{\"configuredLevel\": \"DEBUG\"}}, or null to take the level away"
    )]
    InvalidLogLevel(String),
    #[error("there is no such logger; GET /actuator/loggers lists those that there are")]
    UnknownLogger,
    #[error("the host failed: {0}; this is a defect, its log tells more")]
    Internal(String),
}

/// The one table of the host's own errors: [`ApiError::classify`] reads it, the OpenAPI document, and the test that compares
/// all codes with `docs/reference/errors.md`.
macro_rules! table {
    ($($error:pat => $status:ident: $code:literal),+ $(,)?) => {
        impl ApiError {
            pub(super) const CODES: &[(StatusCode, &str)] = &[$((StatusCode::$status, $code)),+];

            /// Every error's status, code and details.
            fn classify(&self) -> (StatusCode, &str, Option<&str>) {
                match self {
                    Self::Call(CallError::Refused(error)) => {
                        let problem = error.problem();
                        (status_of(error.kind()), &problem.code, problem.detail.as_deref())
                    }
                    Self::Request(error) => {
                        let (status, code) = error.classify();
                        (status, code, None)
                    }
                    $($error => (StatusCode::$status, $code, None)),+
                }
            }
        }
    };
}

table! {
    ApiError::Call(CallError::Trapped(_) | CallError::LimitByPolicy { .. } | CallError::BrokeContract(_))
        => INTERNAL_SERVER_ERROR: "policyFailed",
    ApiError::Call(CallError::LimitByData { .. }) => INTERNAL_SERVER_ERROR: "callLimitExceeded",
    ApiError::Call(CallError::Busy) => SERVICE_UNAVAILABLE: "serverBusy",
    ApiError::Access(AccessError::TokenMissing | AccessError::TokenUnknown) => UNAUTHORIZED: "unauthorized",
    ApiError::Access(AccessError::CertificateMissing) => FORBIDDEN: "clientCertificateNeeded",
    ApiError::Access(AccessError::Forbidden { .. }) => FORBIDDEN: "forbidden",
    ApiError::Access(AccessError::NotEnabled) => FORBIDDEN: "operationNotEnabled",
    ApiError::Stopping => SERVICE_UNAVAILABLE: "serverStopping",
    ApiError::PolicyTooLarge { .. } => PAYLOAD_TOO_LARGE: "policyTooLarge",
    ApiError::PolicyRefused(AdmissionError::Lineage(_)) => CONFLICT: "policySuperseded",
    ApiError::PolicyRefused(_) => UNPROCESSABLE_ENTITY: "policyRefused",
    ApiError::NoShadow(_) => NOT_FOUND: "noShadow",
    ApiError::Rollback(RollbackError::NoPreviousPolicy) => CONFLICT: "noPreviousPolicy",
    ApiError::Rollback(RollbackError::Replaced { .. }) => CONFLICT: "generationReplaced",
    ApiError::InvalidLogLevel(_) => BAD_REQUEST: "invalidLogLevel",
    ApiError::UnknownLogger => NOT_FOUND: "unknownLogger",
    ApiError::Call(CallError::Internal(_)) | ApiError::Internal(_) => INTERNAL_SERVER_ERROR: "internalError",
}

/// Stands in a response's extensions, for the metrics.
#[derive(Clone, Copy)]
pub(super) struct ErrorClass(pub(super) &'static str);

impl ApiError {
    fn class(&self, status: StatusCode) -> &'static str {
        match self {
            Self::Call(CallError::Refused(error)) => class_of(error.kind()),
            Self::Call(CallError::Trapped(_) | CallError::LimitByPolicy { .. } | CallError::BrokeContract(_)) => {
                "policy_failure"
            }
            _ if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => "unauthorized",
            _ if status == StatusCode::SERVICE_UNAVAILABLE => "busy",
            _ if status.is_server_error() => "internal",
            _ => "invalid_request",
        }
    }
}

fn class_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest => "invalid_request",
        ErrorKind::Configuration => "configuration",
        ErrorKind::Conflict => "conflict",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Unreachable => "unreachable",
        ErrorKind::EngineFailure => "engine_failure",
        ErrorKind::Denied => "policy_failure",
    }
}

/// The only thing that can be wrong with the one text parameter that a path has.
impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> Self {
        RequestError::UnreadableId.into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, error_code, detailed_message) = self.classify();
        let error_message = self.to_string();
        let (message, detail) = (for_log(&error_message), detailed_message.map(for_log));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(code = error_code, detail, "{message}");
        } else if status.is_server_error() {
            tracing::error!(code = error_code, detail, "{message}");
        } else {
            tracing::info!(code = error_code, detail, "{message}");
        }
        let body = ErrorBody {
            error_code: error_code.into(),
            error_message,
            detailed_message: detailed_message.map(Into::into),
        };
        let code = ErrorCode(body.error_code.to_string());
        let mut response = (status, Json(body)).into_response();
        response.extensions_mut().insert(code);
        response.extensions_mut().insert(ErrorClass(self.class(status)));
        match status {
            StatusCode::UNAUTHORIZED => {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// A policy's message can be of any length and hold anything.
fn for_log(text: &str) -> String {
    const MAX_CHARS: usize = 2_000;
    text.chars().take(MAX_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

pub(super) async fn method_not_allowed(method: Method) -> ApiError {
    RequestError::MethodNotAllowed(method).into()
}

pub(super) async fn unknown_path(uri: Uri) -> ApiError {
    RequestError::unknown_path(uri.path()).into()
}

#[allow(clippy::needless_pass_by_value, reason = "the signature that CatchPanicLayer asks for")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    ApiError::Internal(text.unwrap_or("a panic without a message").to_owned()).into_response()
}

#[cfg(test)]
mod tests;
