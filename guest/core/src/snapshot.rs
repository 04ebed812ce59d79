use std::fmt;

use crate::{Origin, SnapshotName, Timestamp};

/// The state of a snapshot, as the engine reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotState {
    /// Still being written.
    InProgress,
    /// Written, with every shard.
    Success,
    /// Written, with shards missing.
    Partial,
    /// Not written.
    Failed,
    /// Written by a version that the cluster cannot read.
    Incompatible,
    /// Its metadata cannot be read: the repository is damaged.
    Unreadable,
}

impl SnapshotState {
    /// Reads an engine's word. `None`: unknown.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "IN_PROGRESS" => Self::InProgress,
            "SUCCESS" => Self::Success,
            "PARTIAL" => Self::Partial,
            "FAILED" => Self::Failed,
            "INCOMPATIBLE" => Self::Incompatible,
            _ => return None,
        })
    }

    /// The word for it in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Success => "SUCCESS",
            Self::Partial => "PARTIAL",
            Self::Failed => "FAILED",
            Self::Incompatible => "INCOMPATIBLE",
            Self::Unreadable => "UNREADABLE",
        }
    }
}

impl fmt::Display for SnapshotState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One snapshot of a backup, as listed by an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub name: SnapshotName,
    /// The engine's UUID for it, which differs from that of an earlier snapshot with this name.
    pub uuid: Option<String>,
    /// Its state.
    pub state: SnapshotState,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// When it ended. `None` while it runs.
    pub ended: Option<Timestamp>,
    /// Why it failed as a whole, as far as the engine says.
    pub reason: Option<String>,
    /// One line for each failed shard.
    pub failures: Vec<String>,
    /// The version that wrote it, for people: `8.19.0`.
    pub version: Option<String>,
    /// The version that wrote it, as the engine compares it.
    pub version_id: Option<u64>,
    /// Our entry in its metadata. `None`: somebody else's snapshot.
    pub origin: Option<Origin>,
    /// The index prefix of the installation that it is of, if only the names of its indices tell it.
    pub installation: Option<String>,
}

impl Snapshot {
    /// The run that wrote it. `None`: somebody else's snapshot.
    #[must_use]
    pub fn run_id(&self) -> Option<&str> {
        self.origin.as_ref().map(|origin| origin.run_id.as_str())
    }

    /// What distinguishes it from a later snapshot with the same name: the run that wrote it, and its UUID. Both, because
    /// the run is not known any more once its metadata cannot be read.
    pub(crate) fn identities(&self) -> impl Iterator<Item = &str> {
        self.run_id().into_iter().chain(self.uuid.as_deref())
    }

    /// A snapshot of which only name and UUID are known.
    pub(crate) fn unreadable(name: SnapshotName, uuid: Option<String>, reason: String) -> Self {
        Self {
            name,
            uuid,
            state: SnapshotState::Unreadable,
            started: None,
            ended: None,
            reason: Some(reason),
            failures: Vec::new(),
            version: None,
            version_id: None,
            origin: None,
            installation: None,
        }
    }
}
