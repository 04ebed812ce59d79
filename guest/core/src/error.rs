use crate::{
    BackupId, IndexPrefix, InvalidBackupId, InvalidOptimizeVersion, Part, Refusal, RepositoryName, Request,
    SnapshotName, TransportError,
};

/// Why an operation was refused. The text says what, why and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The caller's number is none.
    #[error("{0}")]
    InvalidBackupId(#[from] InvalidBackupId),
    /// No repository is set.
    #[error(
        "no snapshot repository is configured; set backup.repositoryName (CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME) to the name of one that is registered in the engine"
    )]
    RepositoryNotConfigured,
    /// The repository is not registered.
    #[error(
        "the snapshot repository '{repository}' does not exist in the engine; register it there, or correct backup.repositoryName"
    )]
    RepositoryMissing {
        /// The configured name.
        repository: RepositoryName,
        /// The engine's words.
        refusal: Option<Refusal>,
    },
    /// The repository takes no writes.
    #[error(
        "the snapshot repository '{repository}' is registered read-only; register it without readonly, or configure another one"
    )]
    RepositoryReadOnly {
        /// The configured name.
        repository: RepositoryName,
        /// The engine's words, if it was asked to write.
        refusal: Option<Refusal>,
    },
    /// A setting that the host handed over makes no sense.
    #[error("the setting {key} is wrong: {fault}")]
    InvalidSetting {
        /// The setting's name.
        key: &'static str,
        /// What is wrong with it, and what is allowed.
        fault: String,
    },
    /// The number is taken.
    #[error("a backup with ID {id} already exists: found {}; choose another ID, or delete that backup first", snapshots.join(", "))]
    BackupExists {
        /// The number.
        id: BackupId,
        /// The snapshots that were found.
        snapshots: Vec<String>,
    },
    /// There is no such backup.
    #[error(
        "no backup with ID {id} exists in the snapshot repository '{repository}'; GET /actuator/backups lists those that do"
    )]
    BackupNotFound {
        /// The number.
        id: BackupId,
        /// Where it was looked for.
        repository: RepositoryName,
    },
    /// There are no indices for a part.
    #[error("nothing to back up for {part}: the engine has no {} under the prefix '{prefix}'; check es.settings.index.prefix and that Optimize has started once", match part { Part::One => "import index", Part::Two => "index besides the import indices" })]
    NothingToSnapshot {
        /// The part.
        part: Part,
        /// The configured prefix.
        prefix: IndexPrefix,
    },
    /// Indices are not to be seen without which a backup could not be restored.
    #[error(
        "the engine shows no {}, which every installation of Optimize has, so that a backup would not be complete; give the engine's user the privileges view_index_metadata and read on '{prefix}-*', or correct es.settings.index.prefix", missing.join(" and no ")
    )]
    IndicesMissing {
        /// Their aliases.
        missing: Vec<String>,
        /// The configured prefix.
        prefix: IndexPrefix,
    },
    /// Optimize's version is nowhere to be found.
    #[error(
        "the version of Optimize could not be read from the alias '{prefix}-metadata' ({fault}); set optimize.version (CAMUNDA_OPTIMIZE_VERSION)"
    )]
    OptimizeVersionUnknown {
        /// The configured prefix.
        prefix: IndexPrefix,
        /// What was found instead.
        fault: String,
    },
    /// Optimize's version cannot be part of a name.
    #[error("{0}; set optimize.version (CAMUNDA_OPTIMIZE_VERSION)")]
    OptimizeVersionInvalid(#[from] InvalidOptimizeVersion),
    /// The engine did not answer, and the request was not sent.
    #[error("the engine cannot be reached: {0}")]
    EngineUnreachable(String),
    /// The engine did not answer in time or not to the end.
    #[error(
        "the engine's answer to {request} did not arrive: {cause}; if this was a POST, look with GET whether the backup was started"
    )]
    EngineNotAnswering {
        /// What was asked.
        request: String,
        /// What happened.
        cause: String,
    },
    /// The engine does not let us in.
    #[error(
        "the engine refused access to {request}; check the credentials and that they allow snapshots of the repository, reading the indices, and monitoring the cluster"
    )]
    EngineAccessDenied {
        /// What was asked.
        request: String,
        /// The engine's words.
        refusal: Refusal,
    },
    /// The engine is overloaded or has no master at the moment.
    #[error("the engine is too busy for {request}; try again in a moment")]
    EngineBusy {
        /// What was asked.
        request: String,
        /// The engine's words.
        refusal: Refusal,
    },
    /// The engine refused for any other reason.
    #[error("the engine refused {request}; its own reason is in detailedMessage")]
    EngineRefused {
        /// What was asked.
        request: String,
        /// The engine's words.
        refusal: Refusal,
    },
    /// The engine's answer makes no sense.
    #[error(
        "the answer to {request} is not what an engine answers; check that the configured host and port are Elasticsearch's or OpenSearch's own, without a proxy that answers in its place"
    )]
    EngineAnswerInvalid {
        /// What was asked.
        request: String,
        /// What is wrong with the answer.
        fault: String,
    },
    /// The host does not allow the request.
    #[error("the host does not grant the policy {request}")]
    Denied {
        /// What was asked.
        request: String,
        /// The host's reason.
        reason: String,
    },
}

/// The class of an [`Error`]: how a caller should take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong.
    InvalidRequest,
    /// The configuration is wrong.
    Configuration,
    /// A backup of that number exists.
    Conflict,
    /// There is no backup of that number.
    NotFound,
    /// The engine did not answer.
    Unreachable,
    /// The engine answered, but not what is needed.
    EngineFailure,
    /// The host denied a request.
    Denied,
}

impl Error {
    /// The engine's refusal of a request as an error of its own.
    pub(crate) fn refused(request: &Request, refusal: Refusal, repository: &RepositoryName) -> Self {
        let repository = repository.clone();
        if refusal.is_repository_missing() {
            return Self::RepositoryMissing { repository, refusal: Some(refusal) };
        }
        if refusal.is_repository_read_only() {
            return Self::RepositoryReadOnly { repository, refusal: Some(refusal) };
        }
        let request = request.to_string();
        match refusal.status {
            401 | 403 => Self::EngineAccessDenied { request, refusal },
            429 | 502..=504 => Self::EngineBusy { request, refusal },
            _ => Self::EngineRefused { request, refusal },
        }
    }

    /// A missing answer as an error of its own.
    pub(crate) fn transport(request: &Request, error: TransportError) -> Self {
        let request = request.to_string();
        match error {
            TransportError::Denied(reason) => Self::Denied { request, reason },
            TransportError::Unreachable(cause) => Self::EngineUnreachable(cause),
            TransportError::Interrupted(cause) => Self::EngineNotAnswering { request, cause },
            TransportError::Unreadable(fault) => Self::EngineAnswerInvalid { request, fault },
        }
    }

    /// The two snapshots of one backup have names, so this is a conflict about names.
    pub(crate) fn exists<'a>(id: BackupId, names: impl IntoIterator<Item = &'a SnapshotName>) -> Self {
        Self::BackupExists { id, snapshots: names.into_iter().map(ToString::to_string).collect() }
    }

    /// The class of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.classify().0
    }

    /// A stable word in camelCase, one for each kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.classify().1
    }

    /// The one table of errors.
    fn classify(&self) -> (ErrorKind, &'static str) {
        match self {
            Self::InvalidBackupId(_) => (ErrorKind::InvalidRequest, "invalidBackupId"),
            Self::RepositoryNotConfigured => (ErrorKind::Configuration, "repositoryNotConfigured"),
            Self::RepositoryMissing { .. } => (ErrorKind::Configuration, "repositoryMissing"),
            Self::RepositoryReadOnly { .. } => (ErrorKind::Configuration, "repositoryReadOnly"),
            Self::InvalidSetting { .. } => (ErrorKind::Configuration, "invalidSetting"),
            Self::BackupExists { .. } => (ErrorKind::Conflict, "backupAlreadyExists"),
            Self::BackupNotFound { .. } => (ErrorKind::NotFound, "backupNotFound"),
            Self::NothingToSnapshot { .. } => (ErrorKind::EngineFailure, "nothingToBackUp"),
            Self::IndicesMissing { .. } => (ErrorKind::EngineFailure, "indicesMissing"),
            Self::OptimizeVersionUnknown { .. } => (ErrorKind::EngineFailure, "optimizeVersionUnknown"),
            Self::OptimizeVersionInvalid(_) => (ErrorKind::EngineFailure, "optimizeVersionInvalid"),
            Self::EngineUnreachable(_) => (ErrorKind::Unreachable, "engineUnreachable"),
            Self::EngineNotAnswering { .. } => (ErrorKind::Unreachable, "engineNotAnswering"),
            Self::EngineAccessDenied { .. } => (ErrorKind::EngineFailure, "engineAccessDenied"),
            Self::EngineBusy { .. } => (ErrorKind::EngineFailure, "engineBusy"),
            Self::EngineRefused { .. } => (ErrorKind::EngineFailure, "engineRefused"),
            Self::EngineAnswerInvalid { .. } => (ErrorKind::EngineFailure, "engineAnswerInvalid"),
            Self::Denied { .. } => (ErrorKind::Denied, "requestNotGranted"),
        }
    }

    /// The engine's refusal, where it is one.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::RepositoryMissing { refusal, .. } | Self::RepositoryReadOnly { refusal, .. } => refusal.as_ref(),
            Self::EngineAccessDenied { refusal, .. }
            | Self::EngineBusy { refusal, .. }
            | Self::EngineRefused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// The engine's or the host's own words.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::EngineUnreachable(cause) | Self::EngineNotAnswering { cause, .. } => Some(cause.clone()),
            Self::EngineAnswerInvalid { fault, .. } => Some(fault.clone()),
            Self::Denied { reason, .. } => Some(reason.clone()),
            _ => self.refusal().map(ToString::to_string),
        }
    }
}
