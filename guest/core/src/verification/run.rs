use std::time::Duration;

use super::Check;
use crate::{BackupId, ByteCount, Part, Timestamp};

/// A verification that has begun, and what it has found so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationRun {
    /// The backup.
    pub backup_id: BackupId,
    /// The run: that of the context in which it began.
    pub run_id: String,
    /// What the lock tells.
    pub beat: u64,
    /// When that was counted up.
    pub beaten: Timestamp,
    /// The UUIDs of the snapshots, by part.
    pub snapshots: Vec<String>,
    /// What it verifies.
    pub indices: Vec<VerifiedIndex>,
    /// The checks. If none is pending, only what was made is left to delete.
    pub checks: Vec<Check>,
}

/// An index of a [`VerificationRun`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedIndex {
    /// The part that has it.
    pub part: Part,
    /// Its name in the backup.
    pub index: String,
    /// The size of its primary shards.
    pub size: Option<u64>,
    /// How many documents its copy has.
    pub documents: Option<u64>,
    /// It was looked at.
    pub checked: bool,
}

/// The result of one step of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationStep {
    /// The run after this step.
    pub run: VerificationRun,
    /// The bytes that were copied, as far as they are known.
    pub bytes: Option<ByteCount>,
    /// When to take the next step. `None`: it has ended.
    pub again_in: Option<Duration>,
    /// The engine's refusal of this step, which can pass.
    pub refusal: Option<String>,
}
