use crate::owner::Owner;
use crate::restore::MARK;
use crate::text::excerpt;
use crate::verification::VerificationHolder;
use crate::{
    BackupId, Context, IndexPrefix, InvalidBackupId, InvalidIndexPrefix, InvalidListQuery, InvalidOptimizeVersion,
    Part, Refusal, RepositoryName, Request, Snapshot, TransportError,
};

/// Why an operation failed. The text says what, why and what to do.
#[allow(missing_docs, reason = "each case is explained by its message")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    InvalidBackupId(#[from] InvalidBackupId),
    #[error("{0}")]
    InvalidListQuery(#[from] InvalidListQuery),
    #[error(
        "no snapshot repository is configured; set backup.repositoryName (CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME) to the name of one that is registered in the search engine"
    )]
    RepositoryNotConfigured,
    #[error(
        "the snapshot repository '{repository}' does not exist in the search engine; register it there, or correct backup.repositoryName"
    )]
    RepositoryMissing { repository: RepositoryName, refusal: Option<Refusal> },
    #[error(
        "the snapshot repository '{repository}' is registered read-only; register it without readonly, or configure another one"
    )]
    RepositoryReadOnly { repository: RepositoryName, refusal: Option<Refusal> },
    #[error("the setting {key} is wrong: {reason}")]
    InvalidSetting { key: &'static str, reason: String },
    #[error("{}", exists_message(*id, snapshots, another.as_deref()))]
    BackupExists { id: BackupId, snapshots: Vec<String>, another: Option<String> },
    #[error("{}", not_found_message(*id, repository, another.as_deref()))]
    BackupNotFound { id: BackupId, repository: RepositoryName, another: Option<String> },
    #[error(
        "the backup with ID {id} is of another installation, with the index prefix '{another}', and is not deleted; send the DELETE to that installation's server"
    )]
    BackupOfAnotherInstallation { id: BackupId, another: String },
    #[error("{}", restoring_message(*id, index))]
    RestoreInProgress { id: Option<BackupId>, index: String },
    #[error(
        "the indices of '{prefix}' cannot be restored under the prefix '{other}', since they could be taken for each other's; choose a prefix of which neither begins with the other and a dash, such as 'restored-{prefix}'"
    )]
    InvalidRenamePrefix { prefix: IndexPrefix, other: IndexPrefix },
    #[error("{}", verification_message(holder.as_ref()))]
    VerificationInProgress { holder: Option<VerificationHolder> },
    #[error("the backup with ID {id} cannot be verified: {reason}")]
    BackupNotVerifiable { id: BackupId, reason: String },
    #[error("the cluster has no room for a copy of some indices at a time: {reason}")]
    NoRoomForVerification { reason: String },
    #[error("renamePrefix is wrong: {0}")]
    InvalidIndexPrefix(#[from] InvalidIndexPrefix),
    #[error("{}", nothing_message(*part, prefix))]
    NothingToSnapshot { part: Option<Part>, prefix: IndexPrefix },
    #[error(
        "the search engine shows no {}, which every installation of Optimize has, so that a backup would not be complete; give the search engine's user the privileges view_index_metadata and read on '{prefix}-*', or correct es.settings.index.prefix", missing.join(" and no ")
    )]
    IndicesMissing { missing: Vec<String>, prefix: IndexPrefix },
    #[error(
        "the version of Optimize could not be read from the alias '{prefix}-metadata' ({reason}); set optimize.version (CAMUNDA_OPTIMIZE_VERSION)"
    )]
    OptimizeVersionUnknown { prefix: IndexPrefix, reason: String },
    #[error("{0}; set optimize.version (CAMUNDA_OPTIMIZE_VERSION)")]
    OptimizeVersionInvalid(#[from] InvalidOptimizeVersion),
    #[error("the search engine cannot be reached: {0}")]
    EngineUnreachable(String),
    #[error(
        "the search engine's answer to {request} did not arrive: {cause}; if this was a POST, look with GET whether the backup was started"
    )]
    EngineNotAnswering { request: String, cause: String },
    #[error(
        "the search engine refused access to {request}; check the credentials and that they allow snapshots of the repository, reading the indices, and monitoring the cluster"
    )]
    EngineAccessDenied { request: String, refusal: Refusal },
    #[error("the search engine is too busy for {request}; try again in a moment")]
    EngineBusy { request: String, refusal: Refusal },
    #[error("the search engine refused {request}; its own reason is in detailedMessage")]
    EngineRefused { request: String, refusal: Refusal },
    #[error(
        "the answer to {request} is not what an engine answers; check that the configured host and port are Elasticsearch's or OpenSearch's own, without a proxy that answers in its place"
    )]
    EngineAnswerInvalid { request: String, reason: String },
    #[error("the host does not grant the policy {request}")]
    Denied { request: String, reason: String },
}

/// The class of an [`Error`], by which a host chooses the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong.
    InvalidRequest,
    /// The configuration is wrong.
    Configuration,
    /// A backup of that number exists, or it is another installation's.
    Conflict,
    /// There is no backup of that number.
    NotFound,
    /// The engine did not answer.
    Unreachable,
    /// The engine answered with an error, or lacks what a backup needs.
    EngineFailure,
    /// The host denied a request.
    Denied,
}

impl Error {
    /// The error for a request that the engine refused.
    pub(crate) fn refused(request: &Request, refusal: Refusal, repository: &RepositoryName) -> Self {
        let repository = repository.clone();
        if refusal.is_repository_missing() {
            return Self::RepositoryMissing { repository, refusal: Some(refusal) };
        }
        if refusal.is_repository_read_only() {
            return Self::RepositoryReadOnly { repository, refusal: Some(refusal) };
        }
        Self::refusal_of(request, refusal)
    }

    /// The same for a request that is not about the repository.
    pub(crate) fn refusal_of(request: &Request, refusal: Refusal) -> Self {
        let request = request.to_string();
        match refusal.status {
            401 | 403 => Self::EngineAccessDenied { request, refusal },
            429 | 502..=504 => Self::EngineBusy { request, refusal },
            _ => Self::EngineRefused { request, refusal },
        }
    }

    /// The error for a request without a response.
    pub(crate) fn transport(request: &Request, error: TransportError) -> Self {
        let request = request.to_string();
        match error {
            TransportError::Denied(reason) => Self::Denied { request, reason },
            TransportError::Unreachable(cause) => Self::EngineUnreachable(cause),
            TransportError::Interrupted(cause) => Self::EngineNotAnswering { request, cause },
            TransportError::Unreadable(reason) => Self::EngineAnswerInvalid { request, reason },
        }
    }

    /// The error for an ID that is taken by these snapshots.
    pub(crate) fn exists(id: BackupId, found: &[Snapshot], context: &Context) -> Self {
        let another = match Owner::of(found, &context.settings.index_prefix) {
            Owner::Another(prefix) => Some(shortened(prefix)),
            Owner::This | Owner::Both(_) => None,
        };
        Self::BackupExists { id, snapshots: found.iter().map(|snapshot| snapshot.name.to_string()).collect(), another }
    }

    /// The error for an ID without a backup of this installation.
    pub(crate) fn not_found(id: BackupId, repository: &RepositoryName, another: Option<&str>) -> Self {
        Self::BackupNotFound { id, repository: repository.clone(), another: another.map(shortened) }
    }

    /// The error for a deletion of another installation's backup.
    pub(crate) fn of_another_installation(id: BackupId, prefix: &str) -> Self {
        Self::BackupOfAnotherInstallation { id, another: shortened(prefix) }
    }

    /// The class of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.classify().0
    }

    /// The `errorCode`: a stable word in camelCase, one for each case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.classify().1
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

    /// The engine's or the host's own explanation, for `detailedMessage`.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::EngineUnreachable(cause) | Self::EngineNotAnswering { cause, .. } => Some(cause.clone()),
            Self::EngineAnswerInvalid { reason, .. } | Self::Denied { reason, .. } => Some(reason.clone()),
            _ => self.refusal().map(ToString::to_string),
        }
    }
}

fn exists_message(id: BackupId, snapshots: &[String], another: Option<&str>) -> String {
    let found = snapshots.join(", ");
    match another {
        None => format!("a backup with ID {id} already exists: found {found}; choose another ID"),
        Some(prefix) => format!(
            "a backup with ID {id} already exists, of another installation, with the index prefix '{prefix}': found {found}; choose another ID"
        ),
    }
}

fn not_found_message(id: BackupId, repository: &RepositoryName, another: Option<&str>) -> String {
    match another {
        None => format!(
            "no backup with ID {id} exists in the snapshot repository '{repository}'; GET /actuator/backups lists those that do"
        ),
        Some(prefix) => format!(
            "the backup with ID {id} in the snapshot repository '{repository}' is of another installation, with the index prefix '{prefix}'; that installation's server shows it"
        ),
    }
}

/// `id` is that of a backup that is to be deleted.
fn restoring_message(id: Option<BackupId>, index: &str) -> String {
    let what = match id {
        Some(id) => format!("the backup with ID {id} is being restored"),
        None => "a backup is being restored in this installation".to_owned(),
    };
    format!(
        "{what}: the index '{index}' has the setting {MARK}, which a restore takes away at its end; wait for that, or start the restore again if nobody drives it any more; if no index was replaced (each such setting ends in .planned), PUT /{{index}}/_settings with null for it takes it away; docs/restoring.md says how to clear away one that was given up"
    )
}

fn verification_message(holder: Option<&VerificationHolder>) -> String {
    let of = holder
        .map_or_else(|| "a backup".to_owned(), |holder| format!("backup {} (run {})", holder.backup_id, holder.run_id));
    format!(
        "a verification of {of} is in progress, and there is one at a time in a cluster; wait for its end, or, if its server is gone, for three minutes"
    )
}

/// `part` is `None` where neither part has an index.
fn nothing_message(part: Option<Part>, prefix: &IndexPrefix) -> String {
    let Some(part) = part else {
        return format!(
            "nothing to back up: the search engine shows no index whose name begins with '{prefix}-'; correct es.settings.index.prefix (with OpenSearch opensearch.settings.index.prefix), give the search engine's user the privilege view_index_metadata on '{prefix}-*', or let Optimize start once"
        );
    };
    let missing = match part {
        Part::One => "import index",
        Part::Two => "index besides the import indices",
    };
    format!(
        "nothing to back up for {part}: the search engine has no {missing} under the prefix '{prefix}'; check es.settings.index.prefix and that Optimize has started once"
    )
}

/// A prefix that somebody wrote into a snapshot's metadata, for a message.
fn shortened(prefix: &str) -> String {
    excerpt(prefix, 200)
}

/// The class and code of every error, for [`Error::classify`] and [`Error::CODES`].
macro_rules! table {
    ($($variant:ident is $kind:ident: $code:literal),+ $(,)?) => {
        impl Error {
            /// The class and the code of every error.
            pub const CODES: &[(ErrorKind, &'static str)] = &[$((ErrorKind::$kind, $code)),+];

            fn classify(&self) -> (ErrorKind, &'static str) {
                match self {
                    $(Self::$variant { .. } => (ErrorKind::$kind, $code)),+
                }
            }
        }
    };
}

table! {
    InvalidBackupId is InvalidRequest: "invalidBackupId",
    InvalidListQuery is InvalidRequest: "invalidParameter",
    InvalidRenamePrefix is InvalidRequest: "invalidRenamePrefix",
    InvalidIndexPrefix is InvalidRequest: "invalidRenamePrefix",
    RepositoryNotConfigured is Configuration: "repositoryNotConfigured",
    RepositoryMissing is Configuration: "repositoryMissing",
    RepositoryReadOnly is Configuration: "repositoryReadOnly",
    InvalidSetting is Configuration: "invalidSetting",
    VerificationInProgress is Conflict: "verificationInProgress",
    BackupNotVerifiable is Conflict: "backupNotVerifiable",
    NoRoomForVerification is EngineFailure: "noRoomForVerification",
    BackupExists is Conflict: "backupAlreadyExists",
    BackupNotFound is NotFound: "backupNotFound",
    BackupOfAnotherInstallation is Conflict: "backupOfAnotherInstallation",
    RestoreInProgress is Conflict: "restoreInProgress",
    NothingToSnapshot is EngineFailure: "nothingToBackUp",
    IndicesMissing is EngineFailure: "indicesMissing",
    OptimizeVersionUnknown is EngineFailure: "optimizeVersionUnknown",
    OptimizeVersionInvalid is EngineFailure: "optimizeVersionInvalid",
    EngineUnreachable is Unreachable: "engineUnreachable",
    EngineNotAnswering is Unreachable: "engineNotAnswering",
    EngineAccessDenied is EngineFailure: "engineAccessDenied",
    EngineBusy is EngineFailure: "engineBusy",
    EngineRefused is EngineFailure: "engineRefused",
    EngineAnswerInvalid is EngineFailure: "engineAnswerInvalid",
    Denied is Denied: "requestNotGranted",
}
