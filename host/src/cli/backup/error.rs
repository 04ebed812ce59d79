use std::io;

use backup_core::BackupId;

use crate::cli::client::{ClientError, ClientOptionsError};
use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::Interrupted;
use crate::cli::output::PrintError;

/// Why a command about backups did not do, or does not know to have done, what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum BackupCommandError {
    #[error(transparent)]
    Options(#[from] ClientOptionsError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{error}; backup {id} may have been started all the same: `optimize-backup backup get {id}` tells")]
    MayHaveStarted { id: BackupId, error: ClientError },
    #[error("the server has answered with errors for {minutes} minutes, the last one: {error}")]
    LastingError { minutes: u64, error: ClientError },
    #[error("backup {id} was not started: {error}")]
    NotStarted { id: BackupId, error: ClientError },
    #[error("backup {id} is gone: somebody deleted it while it was being made")]
    Gone { id: BackupId },
    #[error("backup {id} is {state} and cannot be restored{}", .reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    CannotBeRestored { id: BackupId, state: String, reason: Option<String> },
    #[error("the search engine did not delete backup {id}: {reason}; delete it again")]
    NotDeleted { id: BackupId, reason: String },
    #[error("{after} (--timeout) are over; {ongoing}")]
    TimedOut { after: String, ongoing: String },
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error("--timeout limits the waiting: it needs --wait, or --local, which always waits")]
    TimeoutAlone,
    #[error("--resume needs --local: servers resume backups by themselves")]
    ResumeElsewhere,
    #[error("backup {id} was not deleted: nobody can be asked here, so give --yes if you mean it")]
    YesMissing { id: BackupId },
    #[error("backup {id} was not deleted: the answer was not yes")]
    Declined { id: BackupId },
    #[error("backup {id} was not restored: nobody can be asked here, so give --yes if you mean it")]
    RestoreYesMissing { id: BackupId },
    #[error("backup {id} was not restored: the answer was not yes")]
    RestoreDeclined { id: BackupId },
    #[error("backup {id} was not restored: findings above stop it")]
    RestoreBlocked { id: BackupId },
    #[error(
        "no restore of backup {id} is seen: it was not begun, was cut off, or has ended some time ago; {again} begins it, or takes it up"
    )]
    RestoreNotSeen { id: BackupId, again: String },
    #[error("backup {id} is not restored: {reason}; {next}")]
    NotRestored { id: BackupId, reason: String, next: String },
    #[error("--take-over needs --local: servers clear by themselves what shows no sign of life")]
    TakeOverElsewhere,
    #[error(
        "how the verification of backup {id} has ended is not known here: none was begun, or the server that did it has gone, or is another one than this"
    )]
    VerificationNotSeen { id: BackupId },
    #[error("backup {id} has not passed its verification: {reason}")]
    NotVerified { id: BackupId, reason: String },
    #[error("nothing was deleted: nobody can be asked here, so give --yes if you mean it, or --dry-run")]
    ExpiryNeedsYes,
    #[error("nothing was deleted: the answer was not yes")]
    ExpiryDeclined,
    #[error("nothing was deleted, and nothing expires for the time being: {0}")]
    ExpirySuspended(String),
    #[error("not everything that expires was deleted: {0}")]
    NotAllExpired(String),
    #[error("the clock shows no time after 1970, so there is no ID: correct it, or give an ID")]
    Clock,
    #[error(transparent)]
    Print(#[from] PrintError),
    #[error("the operating system refused: {0}")]
    Io(#[from] io::Error),
}

impl BackupCommandError {
    pub(in crate::cli) fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Options(ClientOptionsError::Local(error)) => error.exit_status(),
            Self::Options(_)
            | Self::YesMissing { .. }
            | Self::RestoreYesMissing { .. }
            | Self::TimeoutAlone
            | Self::ResumeElsewhere
            | Self::TakeOverElsewhere
            | Self::ExpiryNeedsYes => ExitStatus::WrongUsage,
            Self::Client(error)
            | Self::MayHaveStarted { error, .. }
            | Self::NotStarted { error, .. }
            | Self::LastingError { error, .. } => error.exit_status(),
            Self::Gone { .. } => ExitStatus::NotFound,
            Self::TimedOut { .. } => ExitStatus::TimedOut,
            Self::Interrupted(_) | Self::Declined { .. } | Self::RestoreDeclined { .. } | Self::ExpiryDeclined => {
                ExitStatus::Interrupted
            }
            Self::CannotBeRestored { .. }
            | Self::NotDeleted { .. }
            | Self::RestoreBlocked { .. }
            | Self::RestoreNotSeen { .. }
            | Self::NotRestored { .. }
            | Self::VerificationNotSeen { .. }
            | Self::NotVerified { .. }
            | Self::ExpirySuspended(_)
            | Self::NotAllExpired(_) => ExitStatus::EndedBadly,
            Self::Clock | Self::Print(_) | Self::Io(_) => ExitStatus::EndedBadly,
        }
    }
}
