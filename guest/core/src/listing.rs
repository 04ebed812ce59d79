//! Lists snapshots, also in a repository with damaged files.
//!
//! `GET _snapshot/{repository}/{pattern}` fails as a whole when the metadata file of one snapshot cannot be read: with
//! 404 `snapshot_missing_exception` if it is gone, with 500 `snapshot_exception` if it is corrupt or the storage does
//! not return it. On most engines a pattern that matches nothing is that same 404; only the name in the reason
//! differs. Without the distinction, one damaged file would hide every backup and let an ID be used twice.

mod entries;
mod in_full;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::refusal::success;
use crate::request::ListMode;
use crate::{BackupId, Engine, Error, IdPattern, Part, Refusal, RepositoryName, Request, Snapshot, SnapshotName};

use entries::read;

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
