use std::io;

use backup_core::{Refusal, RepositoryName, TransportError};

use crate::cli::exit::ExitStatus;
use crate::cli::interrupt::Interrupted;
use crate::cli::output::PrintError;
use crate::elasticsearch::ClientError;
use crate::settings::SettingsError;

/// Why a repository is not registered, or not usable.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum RepositoryCommandError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("there is no name: give it, or set backup.repositoryName (CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME)")]
    NotConfigured,
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the search engine cannot be reached: {0}")]
    Unreachable(TransportError),
    #[error("the search engine did not answer, and may have done it all the same: {0}")]
    NoAnswer(TransportError),
    #[error("the search engine refused ({refusal}){}", advice(.refusal))]
    Refused { refusal: Refusal },
    #[error("what answers is no search engine: check the address in the settings")]
    NoEngine,
    #[error("the setting {0} is given twice")]
    GivenTwice(String),
    #[error(
        "the repository {name} is registered with other settings, and stays as it is: {difference}; give --yes to change it"
    )]
    Different { name: RepositoryName, difference: String },
    #[error(
        "the repository {name} is registered, but not every node of the search engine can write to it and read from it: {reason}; \
         make its storage available to each node, then `optimize-backup repository verify`"
    )]
    NotVerified { name: RepositoryName, reason: String },
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error(transparent)]
    Print(#[from] PrintError),
    #[error("the operating system refused: {0}")]
    Io(#[from] io::Error),
}

impl From<TransportError> for RepositoryCommandError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Unreachable(_) | TransportError::Denied(_) => Self::Unreachable(error),
            TransportError::Interrupted(_) | TransportError::Unreadable(_) => Self::NoAnswer(error),
        }
    }
}

impl From<Refusal> for RepositoryCommandError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal }
    }
}

impl RepositoryCommandError {
    pub(in crate::cli) fn exit_status(&self) -> ExitStatus {
        match self {
            Self::GivenTwice(_) => ExitStatus::WrongUsage,
            Self::Different { .. } => ExitStatus::Conflict,
            Self::Settings(_) | Self::NotConfigured | Self::Client(_) => ExitStatus::Refused,
            Self::Refused { refusal } if matches!(refusal.status, 502..=504) => ExitStatus::Unreachable,
            Self::Refused { .. } | Self::NotVerified { .. } => ExitStatus::Refused,
            Self::Unreachable(_) | Self::NoAnswer(_) | Self::NoEngine => ExitStatus::Unreachable,
            Self::Interrupted(_) => ExitStatus::Interrupted,
            Self::Print(_) | Self::Io(_) => ExitStatus::EndedBadly,
        }
    }
}

/// What to do about the refusals that people meet.
fn advice(refusal: &Refusal) -> &'static str {
    let says = |words: &str| {
        refusal.reason.contains(words) || refusal.cause.as_deref().is_some_and(|cause| cause.contains(words))
    };
    match refusal.status {
        401 => "; correct the user and password in the settings",
        403 => {
            "; give its user the cluster privileges cluster:admin/repository/get, cluster:admin/repository/put and \
             cluster:admin/repository/verify, which are also in manage"
        }
        404 if refusal.kind == "repository_missing_exception" => {
            "; register it with `optimize-backup repository register`"
        }
        _ if says("path.repo") => {
            "; add the folder to path.repo in the configuration of each node and restart the nodes, or choose one that is below \
             path.repo"
        }
        _ if says("repository type") && says("does not exist") => {
            "; install the plugin for that type on each node and restart the nodes, or correct --type"
        }
        _ => "",
    }
}
