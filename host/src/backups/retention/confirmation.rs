//! The host's own look at a backup before retention deletes it.

use std::collections::BTreeSet;

use backup_core::retention::Safeguard;
use backup_core::{Backup, BackupState, Snapshot, SnapshotState, Timestamp};

use crate::policy::{OwnReadError, Policies};
use crate::sandbox::types::BackupId;

/// Why the host keeps a backup.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Kept {
    #[error("it {0}")]
    Safeguard(#[from] Safeguard),
    #[error("backup {id}, which should be a newer one that can be restored, is not: {found}")]
    NoNewerOne { id: BackupId, found: String },
    #[error("it cannot be looked at: {0}")]
    Unknown(#[from] OwnReadError),
}

/// Reads the backup, and the newest that is said to be complete, by the host's own rules; the runs that wrote the
/// former.
pub(crate) async fn confirm(policies: &Policies, id: BackupId, newest: Option<BackupId>) -> Result<Vec<String>, Kept> {
    let prefix = policies.index_prefix();
    let backup = policies.read_by_own_rules(id).await?;
    let runs = deletable(&backup, prefix)?;
    let needed = match backup.state {
        BackupState::Complete => Safeguard::LastComplete,
        BackupState::Incompatible => Safeguard::NoneInItsPlace,
        _ => return Ok(runs),
    };
    let newest = newest.filter(|&newest| newest != id).ok_or(needed)?;
    let other = policies.read_by_own_rules(newest).await?;
    match not_newer(&other, &backup, prefix) {
        None => Ok(runs),
        Some(found) => Err(Kept::NoNewerOne { id: newest, found }),
    }
}

/// The runs that wrote a backup, if it may be deleted.
fn deletable(backup: &Backup, prefix: &str) -> Result<Vec<String>, Safeguard> {
    if backup.state == BackupState::InProgress {
        return Err(Safeguard::InProgress);
    }
    if backup.snapshots.iter().any(|snapshot| snapshot.state == SnapshotState::Unreadable) {
        return Err(Safeguard::Unreadable);
    }
    let runs: Option<BTreeSet<&str>> = backup.snapshots.iter().map(|snapshot| run_of(snapshot, prefix)).collect();
    let runs = runs.filter(|runs| !runs.is_empty()).ok_or(Safeguard::NotOurs)?;
    Ok(runs.into_iter().map(str::to_owned).collect())
}

/// The run that wrote a snapshot. `None`: it is not known to be of the installation with this prefix.
fn run_of<'a>(snapshot: &'a Snapshot, prefix: &str) -> Option<&'a str> {
    let origin = snapshot.origin.as_ref()?;
    (origin.index_prefix.as_deref() == Some(prefix)).then_some(&*origin.run_id)
}

/// Why a backup does not take the place of another one.
fn not_newer(newer: &Backup, older: &Backup, prefix: &str) -> Option<String> {
    if newer.state != BackupState::Complete {
        return Some(newer.state.to_string());
    }
    if let Err(safeguard) = deletable(newer, prefix) {
        return Some(safeguard.to_string());
    }
    let is_newer = started(newer) > started(older) || (started(newer) == started(older) && newer.id > older.id);
    (!is_newer).then(|| "it is older".to_owned())
}

fn started(backup: &Backup) -> Option<Timestamp> {
    backup.snapshots.iter().filter_map(|snapshot| snapshot.started).min()
}
