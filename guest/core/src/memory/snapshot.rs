use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Failure, not_known, refusal};
use crate::{SnapshotState, Timestamp};

/// A snapshot in a [`super::MemoryEngine`].
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSnapshot {
    /// Its name.
    pub name: String,
    /// The indices that it holds.
    pub indices: Vec<String>,
    /// It holds the cluster's settings and templates, too.
    pub include_global_state: bool,
    /// Its state.
    pub state: SnapshotState,
    /// When it was started.
    pub started: Timestamp,
    /// When it ended. `None`: it runs.
    pub ended: Option<Timestamp>,
    /// What its writer noted on it.
    pub metadata: Option<Value>,
    /// The version that wrote it, as engines compare it. `None`: this engine's.
    pub version_id: Option<u64>,
    /// What happened to the file of its metadata.
    pub damage: Option<Damage>,
}

/// What can happen to the file in which a snapshot's metadata is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is gone.
    Missing,
    /// Something else stands in it, or it cannot be read at the moment.
    Unreadable,
}

impl StoredSnapshot {
    /// A snapshot of somebody else's making, of no index.
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
        }
    }

    pub(super) fn end(&mut self, state: SnapshotState, at: Timestamp) {
        self.state = state;
        self.ended = Some(at);
    }

    pub(super) fn uuid(&self) -> String {
        format!("uuid-of-{}-{}", self.name, self.started.0)
    }

    /// As it is listed without a look at its metadata.
    pub(super) fn outline(&self) -> Value {
        // Of a file that is not opened nobody knows that it is damaged.
        json!({"snapshot": self.name, "uuid": self.uuid(), "indices": self.indices, "state": self.state.as_str()})
    }

    /// As it is listed with everything that is known.
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

    /// Of a snapshot that failed, every index failed.
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

/// What is asked for with a new snapshot.
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
            .map_err(|fault| not_known(format!("such a body of a new snapshot ({fault})")))?;
        if new.partial || new.indices.iter().any(|name| name.contains(['*', ',']) || name.starts_with(['-', '_'])) {
            return Err(not_known("partial snapshots or patterns for indices"));
        }
        new.expect_short_metadata()?;
        Ok(new)
    }

    fn expect_short_metadata(&self) -> Result<(), Failure> {
        const LONGEST: usize = 1024;
        let length = self.metadata.as_ref().map_or(0, |metadata| json!(metadata).to_string().len());
        if length <= LONGEST {
            return Ok(());
        }
        let reason =
            format!("Validation Failed: 1: metadata must be smaller than {LONGEST} bytes, but was [{length}];");
        Err(refusal(400, "action_request_validation_exception", reason))
    }
}
