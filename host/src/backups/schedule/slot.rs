//! What becomes of a slot.

use jiff::Timestamp;

use crate::sandbox::CallError;
use crate::sandbox::types::{Backup, BackupId, BackupState};

/// How many IDs a slot has: that of its second, and those of the next ones, for installations that share a repository
/// and a schedule.
const IDS: u64 = 10;

/// How an attempt to begin the backup of a slot ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// This server has begun it.
    Begun(BackupId),
    /// Another one has, or had.
    Taken(BackupId),
    /// The server is late, and somebody has made a backup since.
    NotNeeded(BackupId),
}

/// Why it could not be begun.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("backup {0} is still in progress")]
    Running(BackupId),
    #[error("the IDs from {0} on are another installation's")]
    NoId(BackupId),
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The IDs that the backup of a slot can have, the first one first.
pub(super) fn ids(slot: Timestamp) -> impl Iterator<Item = BackupId> + Clone {
    let first = BackupId::try_from(slot.as_second()).unwrap_or_default();
    first..first + IDS
}

/// A backup of the list that is being made, and is not of this slot.
pub(super) fn other_running(slot: Timestamp, backups: &[Backup]) -> Option<BackupId> {
    let is_other = |backup: &&Backup| !ids(slot).any(|id| id == backup.backup_id);
    let mut running = backups.iter().filter(|backup| backup.state == BackupState::InProgress);
    running.find(is_other).map(|backup| backup.backup_id)
}

/// A backup that can be restored and was begun since the slot.
pub(super) fn made_since(slot: Timestamp, backups: &[Backup]) -> Option<BackupId> {
    let began = |backup: &Backup| backup.details.iter().filter_map(|snapshot| snapshot.start_time).min();
    let slot = u64::try_from(slot.as_millisecond()).unwrap_or_default();
    let complete = backups.iter().filter(|backup| backup.state == BackupState::Complete);
    complete.filter(|backup| began(backup).is_some_and(|began| began >= slot)).map(|backup| backup.backup_id).next()
}
