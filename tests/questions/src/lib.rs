//! Requests to compare [`MemoryEngine`] with real engines.
//!
//! This package's own tests send them to every [`Dialect`]. The test `conformance` of the project sends them to real
//! engines as well and compares what is read of the responses. There is one for every request that
//! [`backup_core::operations`] send, and for every response that they distinguish.

mod catalogue;
mod read;

use std::time::Duration;

use backup_core::memory::{Damage, Dialect, MemoryEngine, StoredSnapshot};
use backup_core::{Engine, Request, Response, SnapshotState};
use serde_json::{Value, json};

pub use self::catalogue::{copy, questions, restore_renamed, take_lock};

/// The indices that are there for every question, each `{name}_v{N}` with the alias `{name}`.
pub const INDICES: [&str; 5] = [
    "optimize-alert_v4",
    "optimize-large_v1",
    "optimize-metadata_v3",
    "optimize-timestamp-based-import-index_v5",
    "optimize-settings_v3",
];

/// The index that has to be so large that a throttled snapshot of it takes longer than all questions.
pub const LARGE_INDEX: &str = "optimize-large_v1";

/// The documents that are there for every question: their index, and what is in the one with the id 1.
#[must_use]
pub fn documents() -> [(&'static str, Value); 2] {
    [
        ("optimize-metadata_v3", json!({"schemaVersion": "8.6.0", "installationId": "one"})),
        ("optimize-settings_v3", json!({"id": "1"})),
    ]
}

/// A request, and the state of the engine before it.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its name, and that of its repository, which no other question uses.
    pub name: &'static str,
    /// The steps before it, in their order.
    pub preparations: Vec<Preparation>,
    /// The request itself.
    pub request: Request,
    /// A real engine may take longer than the test waits, as with a slow repository. Then nothing is compared.
    pub may_take_long: bool,
    read: fn(&Response) -> Value,
}

/// A step before a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preparation {
    /// The question's repository, from now on without writing to it.
    ReadOnly,
    /// An index without a primary shard. It is gone after the question.
    Unassigned(&'static str),
    /// A finished snapshot of `optimize-alert_v4`, with [`METADATA`].
    Snapshot(&'static str),
    /// A finished snapshot of `optimize-alert_v4` and [`Preparation::Unassigned`] indices, which is PARTIAL.
    Partial(&'static str),
    /// A snapshot of [`LARGE_INDEX`] that is being written, in a throttled repository.
    Running(&'static str),
    /// A snapshot, from now on with a damaged metadata file.
    Damaged(&'static str, Damage),
    /// A finished snapshot of an empty list of indices.
    OfNoIndices(&'static str),
    /// What such a [`Preparation::Snapshot`] holds, restored under the prefix [`OTHER_PREFIX`], with a mark. It is gone after
    /// the question.
    Restored(&'static str),
    /// The lock of verifications. It is gone after the question.
    Locked,
    /// What such a [`Preparation::Snapshot`] holds, restored as a verification does. It is gone after the question.
    Copied(&'static str),
}

/// The prefix under which [`Preparation::Restored`] restores.
pub const OTHER_PREFIX: &str = "renamed";
/// The index that it restores.
pub const RESTORED_INDEX: &str = "renamed-alert_v4";

/// The index that [`Preparation::Copied`] restores.
pub const COPIED_INDEX: &str = "optimize-backup-verify-1-optimize-alert_v4";

/// The metadata of the snapshots, as JSON.
pub const METADATA: &str = r#"{"by":"me"}"#;

impl Question {
    /// What the operations read of a response.
    #[must_use]
    pub fn read(&self, response: &Response) -> Value {
        (self.read)(response)
    }

    /// What they read of the response of an engine in memory.
    #[must_use]
    pub fn read_from_memory(&self, dialect: Dialect) -> Value {
        let engine = MemoryEngine::new(dialect);
        engine.pass(Duration::from_secs(1_700_000_000));
        engine.add_repository(self.name, false);
        INDICES.iter().for_each(|index| engine.add_index(index));
        documents().into_iter().for_each(|(index, document)| engine.set_document(index, Some(document)));
        self.preparations.iter().for_each(|preparation| self.prepare(&engine, *preparation));
        engine.send(&self.request).map_or_else(|error| json!(error.to_string()), |response| self.read(&response))
    }

    fn prepare(&self, engine: &MemoryEngine, preparation: Preparation) {
        let indices = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let store = |name: &str, state: SnapshotState, indices: Vec<String>, metadata: Option<Value>| {
            let snapshot = StoredSnapshot::new(name, state, engine.now());
            engine.store(self.name, StoredSnapshot { indices, metadata, ..snapshot });
        };
        match preparation {
            Preparation::ReadOnly => engine.add_repository(self.name, true),
            Preparation::Unassigned(index) => engine.assign_primary(index, false),
            Preparation::Snapshot(name) => {
                let metadata = serde_json::from_str(METADATA).ok();
                store(name, SnapshotState::Success, indices(&["optimize-alert_v4"]), metadata);
            }
            Preparation::Partial(name) => {
                store(name, SnapshotState::Partial, self.unassigned().map(str::to_owned).collect(), None);
            }
            Preparation::Running(name) => store(name, SnapshotState::InProgress, indices(&[LARGE_INDEX]), None),
            Preparation::Damaged(name, damage) => engine.damage(name, Some(damage)),
            Preparation::OfNoIndices(name) => store(name, SnapshotState::Success, indices(&INDICES), None),
            Preparation::Restored(name) => {
                let restored = catalogue::restore_renamed(self.name, name).map(|request| engine.send(&request));
                drop(restored);
            }
            Preparation::Locked => drop(engine.send(&take_lock())),
            Preparation::Copied(name) => drop(copy(self.name, name).map(|request| engine.send(&request))),
        }
    }

    /// The indices without a primary shard.
    pub fn unassigned(&self) -> impl Iterator<Item = &'static str> {
        self.preparations.iter().filter_map(|preparation| match preparation {
            Preparation::Unassigned(index) => Some(*index),
            _ => None,
        })
    }

    /// Whether its repository has to be throttled.
    #[must_use]
    pub fn needs_time(&self) -> bool {
        self.preparations.iter().any(|preparation| matches!(preparation, Preparation::Running(_)))
    }
}
