use std::time::Duration;

use crate::{BackupId, ByteCount, Part};

/// Where a restore stands, as the engine tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// The backup.
    pub backup_id: BackupId,
    /// Its state.
    pub state: RestoreState,
    /// The bytes of all indices, as far as they are known.
    pub bytes: Option<ByteCount>,
    /// The indices, by part and name.
    pub indices: Vec<RestoredIndex>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// What the operator does next.
    pub next_step: Option<String>,
}

/// The state of a [`Restore`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreState {
    /// No index is known to be from this backup.
    None,
    /// It has begun and not ended.
    InProgress,
    /// Every index is from this backup.
    Complete,
    /// An index could not be restored.
    Failed,
}

impl RestoreState {
    /// The word for it in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::InProgress => "IN_PROGRESS",
            Self::Complete => "COMPLETE",
            Self::Failed => "FAILED",
        }
    }
}

/// An index of a [`Restore`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredIndex {
    /// The part that has it.
    pub part: Part,
    /// Its name after the restore.
    pub index: String,
    /// Where it stands.
    pub state: RestoredIndexState,
    /// Its bytes, as far as they are known.
    pub bytes: Option<ByteCount>,
}

/// Where an index stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoredIndexState {
    /// It does not exist.
    Missing,
    /// It is being restored.
    Restoring,
    /// It is from this backup.
    Restored,
    /// It exists, and is not known to be from this backup.
    Other,
}

impl RestoredIndexState {
    /// The word for it in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "MISSING",
            Self::Restoring => "RESTORING",
            Self::Restored => "RESTORED",
            Self::Other => "OTHER",
        }
    }
}

/// The result of one step of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreStep {
    /// The restore after this step.
    pub restore: Restore,
    /// When to take the next step. `None`: the run has ended.
    pub again_in: Option<Duration>,
    /// The engine's refusal of this step, which can pass.
    pub refusal: Option<String>,
}
