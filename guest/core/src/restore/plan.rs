use std::time::Duration;

use super::Finding;
use crate::{BackupId, IndexPrefix, OptimizeVersion, Part, SnapshotName};

/// What a caller of a restore may choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreOptions {
    /// Restores under this prefix, beside what is there.
    pub rename_prefix: Option<IndexPrefix>,
    /// The codes of blocking findings that are not to stop the restore.
    pub overridden: Vec<String>,
}

/// What a restore would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestorePlan {
    /// The backup.
    pub backup_id: BackupId,
    /// Its snapshots, by part.
    pub snapshots: Vec<SnapshotName>,
    /// The version of Optimize that has to be started afterwards.
    pub version: Option<OptimizeVersion>,
    /// The indices of backup and installation.
    pub indices: Vec<PlannedIndex>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The writes that the installation's indices have seen.
    pub writes: Vec<IndexWrites>,
    /// When to plan again with these writes. `None`: they were compared, or there are none.
    pub again_in: Option<Duration>,
    /// The restore that may begin.
    pub run: Option<RestoreRun>,
}

/// An index of a [`RestorePlan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedIndex {
    /// The part that has it.
    pub part: Option<Part>,
    /// Its name in the backup.
    pub index: String,
    /// Its name after the restore.
    pub target: String,
    /// The size of its primary shards.
    pub size: Option<u64>,
    /// There is an index of the target's name.
    pub exists: bool,
    /// What becomes of it.
    pub action: RestoreAction,
}

/// What becomes of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreAction {
    /// It does not exist, and is restored.
    Restored,
    /// It is deleted, and restored.
    Replaced,
    /// An unfinished restore of the same backup has restored it, or is doing so.
    Kept,
    /// It is not touched.
    LeftAlone,
}

/// How many writes an index has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexWrites {
    /// The index.
    pub index: String,
    /// Its UUID.
    pub uuid: String,
    /// Documents written and deleted since its shards were started.
    pub writes: u64,
}

/// A restore that may begin: the argument of `advance`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreRun {
    /// The backup.
    pub backup_id: BackupId,
    /// The other index prefix.
    pub rename_prefix: Option<IndexPrefix>,
    /// The UUIDs of its snapshots, by part.
    pub snapshots: Vec<String>,
    /// What it restores.
    pub indices: Vec<RunIndex>,
}

/// An index of a [`RestoreRun`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunIndex {
    /// The part that has it.
    pub part: Part,
    /// Its name in the backup.
    pub index: String,
    /// Its name after the restore.
    pub target: String,
    /// The size of its primary shards.
    pub size: Option<u64>,
    /// The UUID of the index that it takes the place of.
    pub replaces: Option<String>,
}
