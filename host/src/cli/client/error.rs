use reqwest::StatusCode;

use super::token::TokenError;
use crate::cli::exit::ExitStatus;

/// Why a request has no result: one line that says what, why and what to do.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum ClientError {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("no connection to {server}: {reason}")]
    NoConnection {
        server: String,
        reason: String,
        /// As during a restart of the server.
        can_pass: bool,
    },
    #[error("{server} sent no answer: {reason}")]
    NoAnswer { server: String, reason: String },
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Foreign(#[from] ForeignAnswer),
}

/// An error that the server has answered.
#[derive(Debug, thiserror::Error)]
#[error("{message} [{code}]")]
pub(in crate::cli) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: String,
    /// Its message, with what it adds.
    pub(super) message: String,
}

/// An answer that is not of this API: of a proxy, or of another service.
#[derive(Debug, thiserror::Error)]
#[error("{server} answered {status}{explanation}")]
pub(in crate::cli) struct ForeignAnswer {
    pub(super) server: String,
    pub(super) status: StatusCode,
    pub(super) explanation: String,
}

/// The server's errors after which the search engine may have done what it was asked for.
const MAY_HAVE_ACTED: [&str; 7] = [
    "engineBusy",
    "engineAnswerInvalid",
    "engineNotAnswering",
    "serverBusy",
    "callLimitExceeded",
    "policyFailed",
    "internalError",
];

impl ClientError {
    #[cfg(test)]
    pub(in crate::cli) fn refused(status: u16, code: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap();
        Refusal { status, code: code.to_owned(), message: "what and why".to_owned() }.into()
    }

    pub(in crate::cli) fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Token(_) => ExitStatus::WrongUsage,
            Self::NoConnection { .. } | Self::NoAnswer { .. } => ExitStatus::Unreachable,
            Self::Refused(refusal) => refusal.exit_status(),
            Self::Foreign(answer) if is_unauthorized(answer.status) => ExitStatus::Unauthorized,
            Self::Foreign(_) => ExitStatus::Unreachable,
        }
    }

    /// The server may be doing what it was asked for.
    pub(in crate::cli) fn may_have_acted(&self) -> bool {
        match self {
            Self::Token(_) | Self::NoConnection { .. } => false,
            Self::NoAnswer { .. } => true,
            // The search engine did not answer it, or something in between did.
            Self::Refused(refusal) => MAY_HAVE_ACTED.contains(&refusal.code.as_str()),
            Self::Foreign(answer) => answer.status.is_server_error(),
        }
    }

    /// The same request can succeed later, such as after a restart of the server, a failover of the search engine, or
    /// a replacement of the token's file.
    pub(in crate::cli) fn can_pass(&self) -> bool {
        match self {
            Self::Token(_) | Self::NoConnection { .. } | Self::NoAnswer { .. } => true,
            Self::Refused(refusal) => refusal.status.is_server_error(),
            Self::Foreign(answer) => !is_unauthorized(answer.status),
        }
    }

    /// Nothing was sent, and the same request may be answered in a moment.
    pub(in crate::cli) fn was_not_sent(&self) -> bool {
        matches!(self, Self::NoConnection { can_pass: true, .. })
    }

    /// Something answers, and cannot do it at the moment.
    pub(in crate::cli) fn is_answered(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Foreign(_))
    }

    pub(in crate::cli) fn has_code(&self, code: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == code)
    }

    /// There is no such backup.
    pub(in crate::cli) fn is_not_found(&self) -> bool {
        self.exit_status() == ExitStatus::NotFound
    }
}

impl Refusal {
    fn exit_status(&self) -> ExitStatus {
        match (self.status, self.code.as_str()) {
            (StatusCode::NOT_FOUND, "backupNotFound") => ExitStatus::NotFound,
            (StatusCode::BAD_REQUEST, "invalidBackupId" | "invalidParameter") => ExitStatus::WrongUsage,
            (StatusCode::CONFLICT, _) => ExitStatus::Conflict,
            (_, "engineBusy" | "engineAnswerInvalid") => ExitStatus::Unreachable,
            (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT, _) => {
                ExitStatus::Unreachable
            }
            (status, _) if is_unauthorized(status) => ExitStatus::Unauthorized,
            _ => ExitStatus::Refused,
        }
    }
}

pub(super) fn is_unauthorized(status: StatusCode) -> bool {
    [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::PROXY_AUTHENTICATION_REQUIRED].contains(&status)
}
