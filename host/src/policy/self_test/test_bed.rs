use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use backup_core::memory::{Dialect, MemoryEngine, StoredIndex, StoredSnapshot};
use backup_core::{IndexPrefix, NAME_PREFIX, RepositoryName, SnapshotState};
use serde_json::json;

use super::{Outcome, mismatch};
use crate::elasticsearch::{Capability, Destination, Grants, Oversteps};
use crate::policy::calls::Unobserved;
use crate::policy::{Admitted, CallContext, Generation, PolicyCalls};
use crate::sandbox::{Purpose, types};

const REPOSITORY: &str = "self-test";
const PREFIX: &str = "optimize";
/// That of a second installation, whose backups are in the same repository.
const ANOTHER_PREFIX: &str = "optimize-self-test";
const IMPORT: [&str; 2] = ["optimize-position-based-import-index_v3", "optimize-timestamp-based-import-index_v5"];
const OTHERS: [&str; 3] = ["optimize-metadata_v3", "optimize-process-instance-invoice_v8", "optimize-settings_v3"];

/// An index of something else in the cluster.
const A_NEIGHBOUR: &str = "operate-list-view-8.3.0_";
/// The index that is deleted before a restore.
const DELETED: &str = OTHERS[1];

/// A small installation of Optimize on an in-memory engine, and calls of the policy on it.
pub(super) struct TestBed {
    engine: Arc<MemoryEngine>,
    pub(super) calls: PolicyCalls,
}

impl TestBed {
    /// With a repository, or with none configured.
    pub(super) fn new(admitted: &Admitted, with_repository: bool, oversteps: &Oversteps) -> Outcome<Self> {
        let engine = Arc::new(MemoryEngine::new(Dialect::Elasticsearch8_19));
        engine.pass(since_epoch());
        engine.add_repository(REPOSITORY, false);
        IMPORT.iter().chain(&OTHERS).for_each(|index| engine.add_index(index));
        engine.set_document("optimize-metadata_v3", Some(json!({"schemaVersion": "8.8.0"})));
        engine.add_index(A_NEIGHBOUR);
        let Some(context) = context(&engine, with_repository, oversteps.clone()) else {
            return mismatch(
                "the set-up",
                "a host that can be set up",
                "one that cannot: this is a defect of the host",
            );
        };
        let generation = Generation::new(0, admitted.clone());
        let calls = PolicyCalls::new(generation, Arc::new(context), Arc::new(Unobserved));
        // Callers cannot keep a candidate out.
        Ok(Self { engine, calls: calls.for_purpose(Purpose::Inspection) })
    }

    /// The indices of each snapshot, oldest first.
    pub(super) fn snapshots(&self) -> Vec<Vec<String>> {
        let stored = self.engine.snapshots(REPOSITORY);
        stored.into_iter().map(|snapshot| snapshot.indices).collect()
    }

    /// The name of each snapshot, oldest first.
    pub(super) fn names(&self) -> Vec<String> {
        self.engine.snapshots(REPOSITORY).into_iter().map(|snapshot| snapshot.name).collect()
    }

    /// The first so many parts of a backup that the server of another installation has made.
    pub(super) fn store_anothers(&self, id: &str, parts: u8) {
        for part in 1..=parts {
            let origin = json!({
                "runId": format!("run-of-{ANOTHER_PREFIX}"), "part": part, "parts": 2, "host": "another",
                "indexPrefix": ANOTHER_PREFIX, "policy": "1.0.0",
            });
            let name = format!("{NAME_PREFIX}{id}_8.8.0_part_{part}_of_2");
            let snapshot = StoredSnapshot {
                indices: vec![format!("{ANOTHER_PREFIX}-settings_v3")],
                metadata: Some(json!({ "optimizeBackup": origin })),
                ..StoredSnapshot::new(&name, SnapshotState::Success, self.engine.now())
            };
            self.engine.store(REPOSITORY, snapshot);
        }
    }

    /// Changes the documents of an index of each part, and deletes an index.
    pub(super) fn change(&self) {
        for index in [IMPORT[1], OTHERS[2], A_NEIGHBOUR] {
            self.engine.set_document(index, Some(json!({"is": "new"})));
        }
        self.engine.remove_index(DELETED);
    }

    pub(super) fn has_anything_restored(&self) -> bool {
        self.engine.indices().contains_key(DELETED)
    }

    /// Whether the installation is as before the change, and its neighbour is not.
    pub(super) fn is_restored(&self) -> bool {
        let indices = self.engine.indices();
        let is_new = |index: &str| {
            indices.get(index).map(|(_, stored)| stored.document.as_ref().is_some_and(|it| it.get("is").is_some()))
        };
        let own = IMPORT.iter().chain(&OTHERS).all(|index| is_new(index) == Some(false));
        own && is_new(A_NEIGHBOUR) == Some(true) && self.engine.marked_indices().is_empty()
    }

    /// Everything that is there.
    pub(super) fn indices(&self) -> BTreeMap<String, (String, StoredIndex)> {
        self.engine.indices()
    }

    /// Ends whatever snapshot is being written.
    pub(super) fn finish(&self, state: SnapshotState) {
        for snapshot in self.engine.snapshots(REPOSITORY) {
            if snapshot.state == SnapshotState::InProgress {
                self.engine.finish(&snapshot.name, state);
            }
        }
    }

    /// Whether these are the indices of part 1.
    pub(super) fn is_import(indices: &[String]) -> bool {
        is_same(indices, &IMPORT)
    }

    /// Whether these are the indices of part 2.
    pub(super) fn is_the_rest(indices: &[String]) -> bool {
        is_same(indices, &OTHERS)
    }
}

fn is_same(found: &[String], expected: &[&str]) -> bool {
    let mut found: Vec<&str> = found.iter().map(String::as_str).collect();
    found.sort_unstable();
    found == expected
}

fn context(engine: &Arc<MemoryEngine>, with_repository: bool, oversteps: Oversteps) -> Option<CallContext> {
    let repository = with_repository.then(|| RepositoryName::parse(REPOSITORY).ok()).flatten();
    let settings = types::Settings {
        repository: repository.as_ref().map(ToString::to_string).unwrap_or_default(),
        index_prefix: PREFIX.to_owned(),
        optimize_version: None,
        engine: types::Engine::Elasticsearch,
        resume_window: 600_000,
    };
    let grants = Grants::new(repository, IndexPrefix::parse(PREFIX).ok()?);
    let destination = Destination::InProcess(Arc::clone(engine) as _);
    let capability = Capability { oversteps, ..Capability::new(destination, grants) };
    Some(CallContext { capability, settings })
}

/// The engine's clock is put to where the policy's is.
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
