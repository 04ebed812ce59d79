//! Lists snapshots, also in a repository with damaged files.
//!
//! `GET _snapshot/{repository}/{pattern}` fails as a whole when the metadata file of one snapshot cannot be read: with
//! 404 `snapshot_missing_exception` if it is gone, with 500 `snapshot_exception` if it is corrupt or the storage does
//! not return it. On most engines a pattern that matches nothing is that same 404; only the name in the reason
//! differs. Without the distinction, one damaged file would hide every backup and let an ID be used twice.

mod in_full;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::json::object;
use crate::refusal::{document, success};
use crate::request::ListMode;
use crate::text::cut;
use crate::{
    BackupId, Engine, Error, IdPattern, Origin, Part, Refusal, RepositoryName, Request, Snapshot, SnapshotName,
    SnapshotState, Timestamp,
};

pub(crate) use in_full::in_full;

/// The snapshots in a repository that match a pattern.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Those of backups, in the engine's order.
    pub(crate) snapshots: Vec<Snapshot>,
    /// How many have names that are not of backups.
    pub(crate) foreign: usize,
    /// Why some could not be read, if that may pass.
    transient_error: Option<Error>,
}

impl Listing {
    /// The snapshots of one backup.
    pub(crate) fn of_backup(engine: &impl Engine, repository: &RepositoryName, id: BackupId) -> Result<Self, Error> {
        Self::matching(engine, repository, &SnapshotName::pattern(id))
    }

    /// The snapshots of all backups with matching IDs.
    pub(crate) fn of_all(engine: &impl Engine, repository: &RepositoryName, pattern: IdPattern) -> Result<Self, Error> {
        Self::matching(engine, repository, &pattern.snapshot_pattern())
    }

    /// The names and states of these snapshots; the engine opens no metadata for it.
    pub(crate) fn names_of_all(
        engine: &impl Engine,
        repository: &RepositoryName,
        pattern: IdPattern,
    ) -> Result<Self, Error> {
        list(engine, repository, &pattern.snapshot_pattern(), ListMode::NamesOnly)
    }

    fn matching(engine: &impl Engine, repository: &RepositoryName, pattern: &str) -> Result<Self, Error> {
        match request(engine, repository, pattern, ListMode::Strict)? {
            Ok(listing) => Ok(listing),
            Err(refusal) => Self::from_damaged(engine, repository, pattern, &refusal),
        }
    }

    /// The readable snapshots, and the names of the unreadable ones.
    ///
    /// The names are listed before and after: a snapshot that is created or deleted meanwhile is not damaged.
    fn from_damaged(
        engine: &impl Engine,
        repository: &RepositoryName,
        pattern: &str,
        refusal: &Refusal,
    ) -> Result<Self, Error> {
        let list = |mode| list(engine, repository, pattern, mode);
        let before = list(ListMode::NamesOnly)?;
        let mut listing = list(ListMode::ReadableOnly)?;
        let after = list(ListMode::NamesOnly)?;
        let left_out = without(before.snapshots, &listing.snapshots);
        let unreadable: Vec<Snapshot> =
            among(left_out, &after.snapshots).map(|snapshot| unreadable(snapshot, Some(refusal))).collect();
        if refusal.is_transient() && !unreadable.is_empty() {
            let request = Request::list(repository, pattern, ListMode::Strict);
            listing.transient_error = Some(Error::refused(&request, refusal.clone(), repository));
        }
        listing.snapshots.extend(unreadable);
        listing.foreign = before.foreign;
        Ok(listing)
    }

    /// A list that a run may be ended by.
    ///
    /// # Errors
    /// If snapshots could not be read for a reason that may pass, such as a storage that does not respond at the moment.
    pub(crate) fn or_transient_error(self) -> Result<Self, Error> {
        match self.transient_error {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// Those of the listed snapshots that belong to one backup.
    pub(crate) fn only(mut self, id: BackupId) -> Vec<Snapshot> {
        self.snapshots.retain(|snapshot| snapshot.name.backup_id == id);
        self.snapshots
    }
}

/// The snapshots by backup, the largest ID first.
pub(crate) fn by_backup(mut snapshots: Vec<Snapshot>) -> impl Iterator<Item = (BackupId, Vec<Snapshot>)> {
    snapshots.sort_unstable_by_key(|snapshot| Reverse(snapshot.name.backup_id));
    let mut rest = snapshots.into_iter().peekable();
    std::iter::from_fn(move || {
        let first = rest.next()?;
        let id = first.name.backup_id;
        // Few have more, and the usual growth of a vector would take twice the memory.
        let mut snapshots = Vec::with_capacity(Part::COUNT);
        snapshots.push(first);
        snapshots.extend(std::iter::from_fn(|| rest.next_if(|next| next.name.backup_id == id)));
        Some((id, snapshots))
    })
}

/// Those snapshots that are not among the others.
fn without(mut snapshots: Vec<Snapshot>, others: &[Snapshot]) -> Vec<Snapshot> {
    let others = names_of(others);
    snapshots.retain(|snapshot| !others.contains(&snapshot.name));
    snapshots
}

/// Those snapshots that are among the others.
fn among(snapshots: Vec<Snapshot>, others: &[Snapshot]) -> impl Iterator<Item = Snapshot> {
    let others = names_of(others);
    snapshots.into_iter().filter(move |snapshot| others.contains(&snapshot.name))
}

/// A set, because a repository has tens of thousands of snapshots.
fn names_of(snapshots: &[Snapshot]) -> BTreeSet<&SnapshotName> {
    snapshots.iter().map(|snapshot| &snapshot.name).collect()
}

/// A snapshot without its metadata. The engine's error names only the first unreadable one.
fn unreadable(Snapshot { name, uuid, .. }: Snapshot, refusal: Option<&Refusal>) -> Snapshot {
    let explanation = refusal.filter(|refusal| refusal.reason.contains(&format!(":{name}/")));
    let reason = match explanation {
        Some(refusal) => format!("its metadata cannot be read ({refusal})"),
        None => "its metadata cannot be read".to_owned(),
    };
    Snapshot::unreadable(name, uuid, reason)
}

/// Sends a list request that does not fail because of a damaged snapshot.
fn list(engine: &impl Engine, repository: &RepositoryName, pattern: &str, mode: ListMode) -> Result<Listing, Error> {
    request(engine, repository, pattern, mode)?
        .map_err(|refusal| Error::refused(&Request::list(repository, pattern, mode), refusal, repository))
}

/// Sends one list request. The inner error is a refusal because of a damaged snapshot.
fn request(
    engine: &impl Engine,
    repository: &RepositoryName,
    pattern: &str,
    mode: ListMode,
) -> Result<Result<Listing, Refusal>, Error> {
    let request = Request::list(repository, pattern, mode);
    let response = engine.send(&request).map_err(|error| Error::transport(&request, error))?;
    match success(&response) {
        Ok(body) => read(&request, body, repository).map(Ok),
        Err(refusal) if refusal.is_snapshot_missing() && names(&refusal, pattern) => Ok(Ok(Listing::default())),
        Err(refusal) if refusal.is_snapshot_missing() || refusal.is_snapshot_unreadable() => Ok(Err(refusal)),
        Err(refusal) => Err(Error::refused(&request, refusal, repository)),
    }
}

/// `[backups:camunda_optimize_12_*] is missing` names the pattern; a damaged snapshot is named with
/// its UUID, `[backups:camunda_optimize_12_8.6.0_part_1_of_2/GgYxZ…] is missing`.
fn names(refusal: &Refusal, pattern: &str) -> bool {
    refusal.reason.contains(&format!(":{pattern}]"))
}

fn read(request: &Request, body: &str, repository: &RepositoryName) -> Result<Listing, Error> {
    let list: RawList<'_> = document(request, body)?;
    if list.failures.contains_key(repository.as_str()) {
        // Elasticsearch 8.11 and 7.17 tell of a missing repository with 200.
        return Err(Error::RepositoryMissing { repository: repository.clone(), refusal: None });
    }
    let mut listing = Listing { snapshots: Vec::with_capacity(list.snapshots.len()), ..Listing::default() };
    for entry in list.snapshots {
        match read_snapshot(entry.get()) {
            Some(snapshot) => listing.snapshots.push(snapshot),
            None => listing.foreign += 1,
        }
    }
    Ok(listing)
}

/// A snapshot of a backup, `None` for another one. An entry that cannot be read must not hide the others.
fn read_snapshot(entry: &str) -> Option<Snapshot> {
    match object::<RawSnapshot<'_>>(entry) {
        Ok(raw) => SnapshotName::parse(&raw.snapshot).map(|name| raw.into_snapshot(name)),
        Err(error) => {
            let raw: RawName<'_> = object(entry).ok()?;
            let reason = format!("the search engine's answer about it makes no sense ({error})");
            Some(Snapshot::unreadable(SnapshotName::parse(&raw.snapshot)?, text(raw.uuid), cut(reason, 2_000)))
        }
    }
}

fn text(value: Option<&RawValue>) -> Option<String> {
    value.and_then(|value| serde_json::from_str(value.get()).ok())
}

/// A list whose entries are parsed one by one.
#[derive(Deserialize)]
struct RawList<'a> {
    #[serde(default, borrow)]
    snapshots: Vec<&'a RawValue>,
    #[serde(default)]
    failures: BTreeMap<String, IgnoredAny>,
}

/// The fields that are still read of an entry whose others cannot be.
#[derive(Deserialize)]
struct RawName<'a> {
    #[serde(borrow)]
    snapshot: Cow<'a, str>,
    #[serde(borrow)]
    uuid: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawSnapshot<'a> {
    #[serde(borrow)]
    snapshot: Cow<'a, str>,
    #[serde(borrow)]
    uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    version: Option<String>,
    version_id: Option<u64>,
    start_time_in_millis: Option<u64>,
    end_time_in_millis: Option<u64>,
    reason: Option<String>,
    #[serde(default)]
    failures: Vec<RawFailure>,
    /// Others may write anything into it.
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawFailure {
    index: Option<String>,
    shard_id: Option<u64>,
    node_id: Option<String>,
    reason: Option<String>,
}

impl RawSnapshot<'_> {
    fn into_snapshot(self, name: SnapshotName) -> Snapshot {
        let uuid = text(self.uuid);
        let Some(state) = SnapshotState::parse(&self.state) else {
            return Snapshot::unreadable(
                name,
                uuid,
                format!("the search engine gives it a state that is not known: {}", self.state),
            );
        };
        // A running snapshot has the end time 0.
        let moment = |millis: Option<u64>| millis.filter(|&millis| millis > 0).map(Timestamp);
        Snapshot {
            name,
            uuid,
            state,
            started: moment(self.start_time_in_millis),
            ended: moment(self.end_time_in_millis),
            reason: self.reason,
            failures: self.failures.into_iter().map(RawFailure::into_line).collect(),
            version: self.version,
            version_id: self.version_id,
            origin: self.metadata.and_then(|metadata| Origin::read(metadata.get())),
            installation: None,
        }
    }
}

impl RawFailure {
    fn into_line(self) -> String {
        let index = self.index.as_deref().unwrap_or("unknown index");
        let shard = self.shard_id.map_or_else(|| "?".to_owned(), |shard| shard.to_string());
        let node = self.node_id.map_or_else(|| "on no node".to_owned(), |node| format!("on node {node}"));
        let reason = self.reason.as_deref().unwrap_or("no reason given");
        format!("[{index}][{shard}] {node}: {reason}")
    }
}

#[cfg(test)]
mod tests;
