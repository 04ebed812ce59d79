use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::index::StoredIndex;
use super::response::{Failure, not_known, refusal};
use crate::{SnapshotState, Timestamp};

/// A snapshot in a [`super::MemoryEngine`].
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSnapshot {
    /// Its name.
    pub name: String,
    /// The indices that it holds.
    pub indices: Vec<String>,
    /// It holds the cluster state, too.
    pub include_global_state: bool,
    /// Its state.
    pub state: SnapshotState,
    /// When it was started.
    pub started: Timestamp,
    /// When it ended. `None`: it runs.
    pub ended: Option<Timestamp>,
    /// Its `metadata`.
    pub metadata: Option<Value>,
    /// The version that wrote it, as engines compare them. `None`: this engine's.
    pub version_id: Option<u64>,
    /// The damage to its metadata file.
    pub damage: Option<Damage>,
    /// What is in its indices. Those that are not here are without documents.
    pub contents: BTreeMap<String, StoredIndex>,
    /// Indices of which the metadata of a shard is gone.
    pub unreadable_shards: BTreeSet<String>,
    /// Indices of which a file with data is gone.
    pub unreadable_data: BTreeSet<String>,
    /// How many bytes are written, while it runs.
    pub written: u64,
}

/// A damage to a snapshot's metadata file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is gone.
    Missing,
    /// Its content is damaged, or it cannot be read at the moment.
    Unreadable,
}

impl StoredSnapshot {
    /// A snapshot without indices and metadata.
    #[must_use]
    pub fn new(name: &str, state: SnapshotState, started: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            indices: Vec::new(),
            include_global_state: false,
            state,
            started,
            ended: (state != SnapshotState::InProgress).then_some(started),
            metadata: None,
            version_id: None,
            damage: None,
            contents: BTreeMap::new(),
            unreadable_shards: BTreeSet::new(),
            unreadable_data: BTreeSet::new(),
            written: 0,
        }
    }

    pub(super) fn end(&mut self, state: SnapshotState, at: Timestamp) {
        self.state = state;
        self.ended = Some(at);
    }

    pub(super) fn uuid(&self) -> String {
        format!("uuid-of-{}-{}", self.name, self.started.0)
    }

    /// Its entry in a list of names.
    pub(super) fn outline(&self) -> Value {
        // The metadata file is not opened, so its damage does not show.
        json!({"snapshot": self.name, "uuid": self.uuid(), "indices": self.indices, "state": self.state.as_str()})
    }

    /// Its entry in a list with all fields.
    pub(super) fn details(&self, version: &str, version_id: u64) -> Value {
        let ended = self.ended.unwrap_or_default();
        let mut details = json!({
            "snapshot": self.name,
            "uuid": self.uuid(),
            "version": version,
            "version_id": self.version_id.unwrap_or(version_id),
            "indices": self.indices,
            "include_global_state": self.include_global_state,
            "state": self.state.as_str(),
            "start_time_in_millis": self.started.0,
            "end_time_in_millis": ended.0,
            "failures": self.failures(),
        });
        if let (Some(details), Some(metadata)) = (details.as_object_mut(), &self.metadata) {
            details.insert("metadata".to_owned(), metadata.clone());
        }
        details
    }

    /// The size of an index in it.
    pub(super) fn size(&self, index: &str) -> u64 {
        self.contents.get(index).map_or(StoredIndex::SIZE, |stored| stored.size)
    }

    /// Its status, where `written` bytes are in the repository.
    ///
    /// Each index has one shard. They are written one after another, and what is in one that has not been begun is not
    /// known.
    pub(super) fn status(&self, written: u64) -> Value {
        let mut before = 0;
        let shards: Vec<(&String, ShardStatus)> = self
            .indices
            .iter()
            .map(|index| {
                let size = self.size(index);
                let shard = ShardStatus::of(self.state, size, written.checked_sub(before));
                before += size;
                (index, shard)
            })
            .collect();
        let count = |stage: Stage| shards.iter().filter(|(_, shard)| shard.stage == stage).count();
        let stats = shards.iter().fold(ShardStatus::default(), |sum, (_, shard)| ShardStatus {
            size: sum.size + shard.size,
            written: sum.written + shard.written,
            ..sum
        });
        let index = |(name, shard): &(&String, ShardStatus)| {
            let stage = format!("{:?}", shard.stage).to_uppercase();
            let failed = u64::from(shard.stage == Stage::Failure);
            let status = json!({
                "shards": {"0": {"stage": stage, "stats": shard.stats()}},
                "shards_stats": {"total": 1, "failed": failed},
                "stats": {"total": {"size_in_bytes": shard.size}},
            });
            ((*name).clone(), status)
        };
        let is_running = self.state == SnapshotState::InProgress;
        json!({
            "snapshot": self.name,
            "uuid": self.uuid(),
            "state": if is_running { "STARTED" } else { self.state.as_str() },
            "shards_stats": {
                "initializing": count(Stage::Init), "started": count(Stage::Started), "finalizing": 0,
                "done": count(Stage::Done), "failed": count(Stage::Failure), "total": shards.len(),
            },
            "stats": stats.stats(),
            "indices": shards.iter().map(index).collect::<Map<_, _>>(),
        })
    }

    /// In a failed snapshot, every index failed.
    fn failures(&self) -> Vec<Value> {
        let failed = matches!(self.state, SnapshotState::Failed | SnapshotState::Partial);
        let failure = |index: &String| {
            json!({
                "index": index, "index_uuid": index, "shard_id": 0,
                "reason": "primary shard is not allocated", "status": "INTERNAL_SERVER_ERROR",
            })
        };
        self.indices.iter().filter(|_| failed).map(failure).collect()
    }
}

/// How far a shard is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Init,
    Started,
    Done,
    Failure,
}

#[derive(Clone, Copy, Debug, Default)]
struct ShardStatus {
    stage: Stage,
    size: u64,
    written: u64,
}

impl ShardStatus {
    /// `written`: in this shard and those after it. `None`: it has not been begun.
    fn of(snapshot: SnapshotState, size: u64, written: Option<u64>) -> Self {
        match (snapshot, written) {
            (SnapshotState::Failed | SnapshotState::Partial, _) => Self { stage: Stage::Failure, ..Self::default() },
            (SnapshotState::InProgress, None) => Self::default(),
            (SnapshotState::InProgress, Some(written)) if written < size => {
                Self { stage: Stage::Started, size, written }
            }
            _ => Self { stage: Stage::Done, size, written: size },
        }
    }

    /// What is written is left out when it is all.
    fn stats(self) -> Value {
        let size = |bytes: u64| json!({"file_count": 1, "size_in_bytes": bytes});
        if self.written == self.size {
            json!({"incremental": size(self.size), "total": size(self.size)})
        } else {
            json!({"incremental": size(self.size), "processed": size(self.written), "total": size(self.size)})
        }
    }
}

/// The body of a request for a new snapshot.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSnapshot {
    #[serde(default)]
    pub(super) indices: Vec<String>,
    #[serde(default = "yes")]
    pub(super) include_global_state: bool,
    #[serde(default)]
    partial: bool,
    pub(super) metadata: Option<Map<String, Value>>,
}

fn yes() -> bool {
    true
}

impl NewSnapshot {
    pub(super) fn read(body: Option<&str>) -> Result<Self, Failure> {
        let new: Self = serde_json::from_str(body.unwrap_or("{}"))
            .map_err(|error| not_known(format!("such a body of a new snapshot ({error})")))?;
        if new.partial || new.indices.iter().any(|name| name.contains(['*', ',']) || name.starts_with(['-', '_'])) {
            return Err(not_known("partial snapshots or patterns for indices"));
        }
        new.expect_short_metadata()?;
        Ok(new)
    }

    fn expect_short_metadata(&self) -> Result<(), Failure> {
        const MAX_METADATA_BYTES: usize = 1024;
        let length = self.metadata.as_ref().map_or(0, |metadata| json!(metadata).to_string().len());
        if length <= MAX_METADATA_BYTES {
            return Ok(());
        }
        let reason = format!(
            "Validation Failed: 1: metadata must be smaller than {MAX_METADATA_BYTES} bytes, but was [{length}];"
        );
        Err(refusal(400, "action_request_validation_exception", reason))
    }
}
