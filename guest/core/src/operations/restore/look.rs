//! Reads the indices under a prefix, and what the cluster is doing with them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};

use crate::operations::fetch;
use crate::refusal::document;
use crate::restore::{Found, MARK, Mark, Primary, Recovery, ShardState, TargetPart, WRITE_BLOCK, is_expression};
use crate::text::{cut, without_stack_traces};
use crate::verification::HOLDER;
use crate::{Context, Engine, Error, IndexPrefix, Request};

/// The indices under a prefix by their names.
///
/// The marks are read first, then which restores run, then the shards: an index with a mark whose restore does not run any
/// more, and which has no shard after that, has failed.
pub(in crate::operations) fn indices(
    engine: &impl Engine,
    context: &Context,
    prefix: &IndexPrefix,
) -> Result<(BTreeMap<String, Found>, Tasks), Error> {
    let mut found = identities(engine, context, prefix)?;
    let tasks = tasks(engine, context)?;
    if !found.is_empty() {
        add_shards(engine, context, prefix, &tasks, &mut found)?;
    }
    Ok((found, tasks))
}

/// Adds which of these indices are being restored, and their shards.
pub(in crate::operations) fn add_shards(
    engine: &impl Engine,
    context: &Context,
    prefix: &IndexPrefix,
    tasks: &Tasks,
    found: &mut BTreeMap<String, Found>,
) -> Result<(), Error> {
    for index in tasks.restores.iter().flat_map(|restore| &restore.indices) {
        if let Some(found) = found.get_mut(index) {
            found.is_being_restored = true;
        }
    }
    let request = Request::shards(prefix);
    let body = fetch(engine, context, &request)?;
    let shards: Vec<RawShard> = list(&request, &body)?;
    for shard in shards.into_iter().filter(|shard| shard.prirep == "p") {
        if let Some(found) = found.get_mut(&shard.index) {
            found.primaries.push(shard.into_primary());
        }
    }
    let request = Request::recoveries(prefix);
    let recoveries: BTreeMap<String, RawRecoveries> = document(&request, &fetch(engine, context, &request)?)?;
    for (index, recoveries) in recoveries {
        if let Some(found) = found.get_mut(&index) {
            found.recoveries = recoveries.of_primaries();
        }
    }
    Ok(())
}

/// The indices under a prefix with their UUIDs, marks and blocks, and nothing of their shards.
pub(in crate::operations) fn identities(
    engine: &impl Engine,
    context: &Context,
    prefix: &IndexPrefix,
) -> Result<BTreeMap<String, Found>, Error> {
    let request = Request::index_settings(prefix);
    let settings: BTreeMap<String, RawIndex> = document(&request, &fetch(engine, context, &request)?)?;
    let mut found = BTreeMap::new();
    for (name, index) in settings {
        if is_expression(&name) {
            let reason = format!("it tells of an index '{}', which no index can be called", name.escape_debug());
            return Err(Error::EngineAnswerInvalid { request: request.to_string(), reason });
        }
        // The pattern also finds what has an alias under the prefix.
        if prefix.strip(&name).is_some() {
            found.insert(name, index.into_found());
        }
    }
    Ok(found)
}

/// What the cluster is doing with snapshots.
#[derive(Debug, Default)]
pub(in crate::operations) struct Tasks {
    pub(in crate::operations) restores: Vec<Task>,
    pub(super) backups: Vec<Task>,
    /// Repository and snapshots.
    pub(in crate::operations) deletions: Vec<(String, BTreeSet<String>)>,
}

impl Tasks {
    /// Whether one of these snapshots is being deleted.
    pub(in crate::operations) fn deletes(&self, repository: &str, parts: &[TargetPart]) -> bool {
        let own: BTreeSet<String> = parts.iter().map(|part| part.name.to_string()).collect();
        self.deletions.iter().any(|(of, snapshots)| of == repository && !snapshots.is_disjoint(&own))
    }
}

/// A snapshot that the cluster writes or restores.
#[derive(Debug)]
pub(in crate::operations) struct Task {
    pub(in crate::operations) snapshot: String,
    pub(in crate::operations) indices: BTreeSet<String>,
}

pub(in crate::operations) fn tasks(engine: &impl Engine, context: &Context) -> Result<Tasks, Error> {
    let request = Request::snapshot_tasks();
    let raw: RawTasks = document(&request, &fetch(engine, context, &request)?)?;
    let is_running = |state: &str| !matches!(state, "SUCCESS" | "FAILURE");
    let restores = raw.restore.snapshots.into_iter().filter(|restore| is_running(&restore.state));
    let deletions = raw.snapshot_deletions.snapshot_deletions.into_iter();
    Ok(Tasks {
        restores: restores.map(|restore| Task { snapshot: restore.snapshot, indices: restore.indices }).collect(),
        backups: raw
            .snapshots
            .snapshots
            .into_iter()
            .map(|backup| Task {
                snapshot: backup.snapshot,
                indices: backup.indices.into_iter().map(|index| index.name).collect(),
            })
            .collect(),
        deletions: deletions.map(|deletion| (deletion.repository, deletion.snapshots)).collect(),
    })
}

fn list<T: for<'a> Deserialize<'a>>(request: &Request, body: &str) -> Result<Vec<T>, Error> {
    serde_json::from_str(body).map_err(|error| Error::EngineAnswerInvalid {
        request: request.to_string(),
        reason: format!("{error}; it is {} bytes long", body.len()),
    })
}

#[derive(Deserialize)]
struct RawIndex {
    settings: BTreeMap<String, serde_json::Value>,
}

impl RawIndex {
    fn into_found(self) -> Found {
        let text = |name: &str| self.settings.get(name).and_then(serde_json::Value::as_str);
        let number = |name: &str| text(name).and_then(|number| number.parse().ok()).unwrap_or_default();
        let is_set = |block: &str| text(block) == Some("true");
        let blocks = ["index.blocks.read_only", "index.blocks.metadata"];
        Found {
            uuid: text("index.uuid").unwrap_or_default().to_owned(),
            mark: text(MARK).map(Mark::parse),
            holder: text(HOLDER).map(str::to_owned),
            block: blocks.into_iter().find(|block| is_set(block)),
            is_blocked: blocks.into_iter().any(is_set) || is_set("index.blocks.read_only_allow_delete"),
            has_write_block: is_set(WRITE_BLOCK),
            replicas: number("index.number_of_replicas"),
            ..Found::default()
        }
    }
}

#[derive(Deserialize)]
struct RawShard {
    index: String,
    prirep: String,
    state: String,
    #[serde(rename = "unassigned.reason")]
    reason: Option<String>,
    #[serde(rename = "unassigned.details")]
    details: Option<String>,
}

/// What engines say of a shard that they could not start from what is on the node's disk: a crash in the middle of a restore
/// leaves files there that are not whole.
const FROM_DISK: &str = "failed to recover from gateway";

/// What they say where a node tried to restore a shard and could not.
const TRIED: [&str; 3] = ["RestoreFailedException", "CorruptIndexException", "NoSuchFileException"];
/// A node whose disk is full has tried, too, and another one may succeed.
const DISK_IS_FULL: &str = "No space left on device";

/// A reason can name every node.
const MAX_DETAILS_BYTES: usize = 2_000;

impl RawShard {
    fn into_primary(self) -> Primary {
        let details = self.details.or(self.reason.clone()).unwrap_or_default();
        let is_lost = self.reason.as_deref() == Some("CLUSTER_RECOVERED") || details.contains(FROM_DISK);
        let is_tried =
            self.reason.as_deref() == Some("ALLOCATION_FAILED") || TRIED.iter().any(|words| details.contains(words));
        let is_faulty = is_tried && !is_lost && !details.contains(DISK_IS_FULL);
        Primary {
            state: match self.state.as_str() {
                "STARTED" | "RELOCATING" => ShardState::Started,
                "INITIALIZING" => ShardState::Initializing,
                _ => ShardState::Unassigned,
            },
            is_lost: self.state == "UNASSIGNED" && is_lost,
            is_faulty: self.state == "UNASSIGNED" && is_faulty,
            details: cut(without_stack_traces(&details), MAX_DETAILS_BYTES),
        }
    }
}

#[derive(Deserialize)]
struct RawRecoveries {
    #[serde(default)]
    shards: Vec<RawRecovery>,
}

impl RawRecoveries {
    /// Engines tell of a shard what it was when its recovery began: one that has become the primary since is still told as a
    /// replica.
    fn of_primaries(self) -> Vec<Recovery> {
        let (primaries, replicas): (Vec<_>, Vec<_>) = self.shards.into_iter().partition(|recovery| recovery.primary);
        let known: BTreeSet<u64> = primaries.iter().map(|recovery| recovery.id).collect();
        let is_copied = |replica: &RawRecovery| replica.kind == "PEER" && replica.stage == "DONE";
        let promoted: BTreeMap<u64, RawRecovery> = replicas
            .into_iter()
            .filter(|replica| is_copied(replica) && !known.contains(&replica.id))
            .map(|replica| (replica.id, replica))
            .collect();
        primaries.into_iter().chain(promoted.into_values()).map(RawRecovery::into_recovery).collect()
    }
}

#[derive(Deserialize)]
struct RawRecovery {
    #[serde(default)]
    id: u64,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    stage: String,
    primary: bool,
    #[serde(default)]
    source: RawSource,
    #[serde(default)]
    index: RawFiles,
}

#[derive(Default, Deserialize)]
struct RawSource {
    repository: Option<String>,
    snapshot: Option<String>,
}

#[derive(Default, Deserialize)]
struct RawFiles {
    #[serde(default)]
    size: RawSize,
}

#[derive(Default, Deserialize)]
struct RawSize {
    #[serde(default)]
    total_in_bytes: u64,
    #[serde(default)]
    recovered_in_bytes: u64,
    #[serde(default)]
    reused_in_bytes: u64,
}

impl RawRecovery {
    fn into_recovery(self) -> Recovery {
        let size = self.index.size;
        Recovery {
            snapshot: self.source.repository.zip(self.source.snapshot).filter(|_| self.kind == "SNAPSHOT"),
            is_from_copy: self.kind == "PEER",
            is_from_disk: self.kind == "EXISTING_STORE",
            is_done: self.stage == "DONE",
            total_bytes: size.total_in_bytes,
            done_bytes: size.recovered_in_bytes.saturating_add(size.reused_in_bytes).min(size.total_in_bytes),
        }
    }
}

#[derive(Deserialize)]
struct RawTasks {
    #[serde(default)]
    restore: RawRestores,
    #[serde(default)]
    snapshots: RawBackups,
    #[serde(default)]
    snapshot_deletions: RawDeletions,
}

#[derive(Default, Deserialize)]
struct RawRestores {
    #[serde(default)]
    snapshots: Vec<RawRestore>,
}

#[derive(Deserialize)]
struct RawRestore {
    snapshot: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    indices: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
struct RawBackups {
    #[serde(default)]
    snapshots: Vec<RawBackup>,
}

#[derive(Deserialize)]
struct RawBackup {
    snapshot: String,
    #[serde(default)]
    indices: Vec<IndexName>,
}

struct IndexName {
    name: String,
}

/// Most engines write an object with name and ID, some only the name.
impl<'de> Deserialize<'de> for IndexName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Object { name: String },
            Name(String),
        }
        Ok(match Raw::deserialize(deserializer)? {
            Raw::Object { name } | Raw::Name(name) => Self { name },
        })
    }
}

#[derive(Default, Deserialize)]
struct RawDeletions {
    #[serde(default)]
    snapshot_deletions: Vec<RawDeletion>,
}

#[derive(Deserialize)]
struct RawDeletion {
    repository: String,
    #[serde(default)]
    snapshots: BTreeSet<String>,
}
