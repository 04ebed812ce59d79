use backup_actuator::{ErrorBody, RequestError, status_of};
use http::StatusCode;

use crate::bindings::optimize::backup::types;
use crate::log;
use crate::reply::Reply;

/// Why a request has no result.
pub(crate) enum Error {
    /// The policy refused.
    Refused(types::Error),
    /// The request is wrong.
    Request(RequestError),
    /// The settings in the environment are wrong. The native host would not have started.
    Settings(&'static str),
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        Self::Refused(error)
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        let (status, code, message, detail) = match &error {
            Error::Refused(error) => {
                let problem = error.problem();
                (status_of(error.kind()), problem.code.as_str(), problem.message.clone(), problem.detail.as_deref())
            }
            Error::Request(error) => {
                let (status, code) = error.classify();
                (status, code, error.to_string(), None)
            }
            Error::Settings(error) => (StatusCode::BAD_REQUEST, "invalidSetting", (*error).to_owned(), None),
        };
        if status.is_server_error() {
            log::line(&format!("{code}: {message} {}", detail.unwrap_or_default()));
        }
        let detail = detail.map(Into::into);
        Self::json(status, &ErrorBody { error_code: code.into(), error_message: message, detailed_message: detail })
    }
}
