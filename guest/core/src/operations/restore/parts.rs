//! Reads the snapshots of a backup for a restore.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::listing::Listing;
use crate::operations::inspect::{cluster, existing};
use crate::operations::{fetch, send};
use crate::refusal::{document, success};
use crate::restore::TargetPart;
use crate::{
    Backup, BackupId, BackupState, Context, Engine, Error, Part, Refusal, Request, Snapshot, SnapshotName,
    SnapshotState,
};

/// A backup, and the indices in its parts.
pub(in crate::operations) struct Contents {
    pub(in crate::operations) backup: Backup,
    /// Those parts of which there is exactly one snapshot that succeeded.
    pub(in crate::operations) parts: Vec<TargetPart>,
}

impl Contents {
    /// # Errors
    /// [`Error::BackupNotFound`], or why it could not be read.
    pub(in crate::operations) fn of(engine: &impl Engine, context: &Context, id: BackupId) -> Result<Self, Error> {
        let repository = context.repository()?;
        let listing = Listing::of_backup(engine, repository, id)?.or_transient_error()?;
        let snapshots = existing(engine, listing, context, id)?;
        let cluster = cluster(engine, context)?;
        let backup = Backup::assess(id, snapshots, Some(&cluster), context);
        let indices = indices_by_snapshot(engine, context, id)?;
        let parts = Part::ALL.into_iter().filter_map(|part| contents(&backup, part, &indices)).collect();
        Ok(Self { backup, parts })
    }

    /// Why it cannot be restored.
    pub(in crate::operations) fn obstacle(&self) -> Option<String> {
        let BackupState::Complete = self.backup.state else {
            let reason = self.backup.failure_reason.as_deref().unwrap_or("it is still being made");
            return Some(format!("the backup is {}: {reason}", self.backup.state));
        };
        (self.parts.len() != Part::COUNT).then(|| "its snapshots are not listed with their indices".to_owned())
    }
}

fn contents(backup: &Backup, part: Part, indices: &BTreeMap<String, RawIndices>) -> Option<TargetPart> {
    let is_usable = |snapshot: &&Snapshot| snapshot.name.part == part && snapshot.state == SnapshotState::Success;
    let mut snapshots = backup.snapshots.iter().filter(is_usable);
    let (snapshot, None) = (snapshots.next()?, snapshots.next()) else { return None };
    let listed = indices.get(&snapshot.name.to_string())?;
    // In between, it may have been deleted and made again.
    let uuid = snapshot.uuid.clone().filter(|uuid| Some(uuid) == listed.uuid.as_ref())?;
    Some(TargetPart { name: snapshot.name.clone(), uuid, indices: listed.indices.clone() })
}

fn indices_by_snapshot(
    engine: &impl Engine,
    context: &Context,
    id: BackupId,
) -> Result<BTreeMap<String, RawIndices>, Error> {
    let request = Request::list_indices(context.repository()?, &SnapshotName::pattern(id));
    let response = send(engine, &request)?;
    match success(&response) {
        Ok(body) => {
            let list: RawList = document(&request, body)?;
            Ok(list.snapshots.into_iter().map(|entry| (entry.snapshot.clone(), entry)).collect())
        }
        // They have been deleted meanwhile.
        Err(refusal) if refusal.is_snapshot_missing() => Ok(BTreeMap::new()),
        Err(refusal) => Err(Error::refused(&request, refusal, context.repository()?)),
    }
}

/// The size of each index of a part and how many primary shards it has.
pub(in crate::operations) type Sizes = BTreeMap<String, (u64, u64)>;

/// Reads the metadata of every shard of a part. `Err` within: the engine cannot.
pub(in crate::operations) fn sizes(
    engine: &impl Engine,
    context: &Context,
    part: &TargetPart,
) -> Result<Result<Sizes, String>, Error> {
    Ok(readable(engine, context, part)?.map_err(|unreadable| unreadable.reason))
}

/// Why an engine cannot read the metadata of each shard.
pub(super) struct Unreadable {
    pub(super) reason: String,
    /// A storage that does not answer in time is told like one whose files are damaged.
    pub(super) can_pass: bool,
}

impl From<String> for Unreadable {
    fn from(reason: String) -> Self {
        Self { reason, can_pass: false }
    }
}

pub(super) fn readable(
    engine: &impl Engine,
    context: &Context,
    part: &TargetPart,
) -> Result<Result<Sizes, Unreadable>, Error> {
    let request = Request::snapshot_sizes(context.repository()?, &part.name);
    let response = send(engine, &request)?;
    let status: RawStatus = match success(&response) {
        Ok(body) => document(&request, body)?,
        Err(refusal) if is_about_files(&refusal) => {
            let can_pass = refusal.status == 500 && !refusal.is_snapshot_missing();
            return Ok(Err(Unreadable { reason: refusal.to_string(), can_pass }));
        }
        Err(refusal) => return Err(Error::refused(&request, refusal, context.repository()?)),
    };
    let Some(snapshot) = status.snapshots.into_iter().next() else {
        return Ok(Err("it is not there".to_owned().into()));
    };
    if snapshot.state != "SUCCESS" {
        return Ok(Err(format!("the search engine calls it {}", snapshot.state).into()));
    }
    let known: BTreeSet<&String> = snapshot.indices.keys().collect();
    if let Some(missing) = part.indices.iter().find(|index| !known.contains(index)) {
        return Ok(Err(format!("the search engine tells nothing of the shards of {missing}").into()));
    }
    if let Some((index, _)) = snapshot.indices.iter().find(|(_, index)| index.shards_stats.failed > 0) {
        return Ok(Err(format!("shards of {index} are not in it").into()));
    }
    let size = |index: RawIndexStatus| (index.stats.total.size_in_bytes, index.shards_stats.total);
    Ok(Ok(snapshot.indices.into_iter().map(|(name, index)| (name, size(index))).collect()))
}

/// Whether the engine refused because of the snapshot's files, and not because it is busy.
fn is_about_files(refusal: &Refusal) -> bool {
    refusal.is_snapshot_missing()
        || refusal.is_snapshot_unreadable()
        || (refusal.status == 500 && !refusal.kind.is_empty())
}

/// Reads a document that a check needs. `None`: the engine does not allow it.
pub(in crate::operations) fn advice<T: for<'a> Deserialize<'a>>(
    engine: &impl Engine,
    context: &Context,
    request: &Request,
) -> Result<Result<T, String>, Error> {
    match fetch(engine, context, request) {
        Ok(body) => document(request, &body).map(Ok),
        Err(Error::Denied { reason, .. }) => Ok(Err(format!("{request}: {reason}"))),
        Err(Error::EngineAccessDenied { refusal, .. } | Error::EngineRefused { refusal, .. }) => {
            Ok(Err(format!("{request}: {refusal}")))
        }
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct RawList {
    #[serde(default)]
    snapshots: Vec<RawIndices>,
}

#[derive(Deserialize)]
struct RawIndices {
    snapshot: String,
    uuid: Option<String>,
    #[serde(default)]
    indices: Vec<String>,
}

#[derive(Deserialize)]
struct RawStatus {
    #[serde(default)]
    snapshots: Vec<RawSnapshotStatus>,
}

#[derive(Deserialize)]
struct RawSnapshotStatus {
    state: String,
    #[serde(default)]
    indices: BTreeMap<String, RawIndexStatus>,
}

#[derive(Deserialize)]
struct RawIndexStatus {
    #[serde(default)]
    shards_stats: RawShards,
    #[serde(default)]
    stats: RawStats,
}

#[derive(Default, Deserialize)]
struct RawShards {
    #[serde(default)]
    total: u64,
    #[serde(default)]
    failed: u64,
}

#[derive(Default, Deserialize)]
struct RawStats {
    #[serde(default)]
    total: RawTotal,
}

#[derive(Default, Deserialize)]
struct RawTotal {
    #[serde(default)]
    size_in_bytes: u64,
}
