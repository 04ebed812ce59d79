use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::object;
use crate::operations::send;
use crate::refusal::{document, success};
use crate::selection::installation_of;
use crate::{BackupId, Context, Engine, Error, Request, Snapshot, SnapshotName, SnapshotState};

/// Adds to snapshots whose metadata cannot be read whose they are: the names of their indices tell it, which engines keep
/// elsewhere. A storage that is away for a moment makes no backup everybody's.
pub(super) fn identified(
    engine: &impl Engine,
    context: &Context,
    id: BackupId,
    mut snapshots: Vec<Snapshot>,
) -> Result<Vec<Snapshot>, Error> {
    let is_unreadable = |snapshot: &Snapshot| snapshot.state == SnapshotState::Unreadable;
    if !snapshots.iter().any(is_unreadable) {
        return Ok(snapshots);
    }
    let request = Request::list_indices(context.repository()?, &SnapshotName::pattern(id));
    let response = send(engine, &request)?;
    let list: RawList<'_> = match success(&response) {
        Ok(body) => document(&request, body)?,
        // They have been deleted meanwhile.
        Err(refusal) if refusal.is_snapshot_missing() => return Ok(snapshots),
        Err(refusal) => return Err(Error::refused(&request, refusal, context.repository()?)),
    };
    let listed: Vec<RawIndices> = list.snapshots.iter().filter_map(|entry| object(entry.get()).ok()).collect();
    for snapshot in snapshots.iter_mut().filter(|snapshot| is_unreadable(snapshot)) {
        let name = snapshot.name.to_string();
        let entry = listed.iter().find(|entry| entry.snapshot == name);
        snapshot.installation = entry.and_then(|entry| installation_of(&entry.indices)).map(str::to_owned);
    }
    Ok(snapshots)
}

/// A list whose entries are parsed one by one.
#[derive(Deserialize)]
struct RawList<'a> {
    #[serde(default, borrow)]
    snapshots: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawIndices {
    snapshot: String,
    #[serde(default)]
    indices: Vec<String>,
}
