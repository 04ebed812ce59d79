//! How far a backup is, computed from its snapshots and from what the engine tells of them.

use std::time::Duration;

use crate::{Backup, BackupId, BackupState, Part, Snapshot, SnapshotName, SnapshotState, Timestamp, milliseconds};

/// How many bytes a snapshot writes, without those files that are in the repository already; or how many a restore reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByteCount {
    /// All. While it runs, an estimate.
    pub total: u64,
    /// Written or restored so far.
    pub done: u64,
}

/// How many shards a snapshot is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardCount {
    /// All.
    pub total: u32,
    /// Written.
    pub done: u32,
    /// Not written, and given up.
    pub failed: u32,
}

/// What the engine tells of one snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// Its bytes.
    pub bytes: ByteCount,
    /// Its shards.
    pub shards: ShardCount,
}

/// How far one part of a backup is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartProgress {
    /// The snapshot.
    pub name: SnapshotName,
    /// Its state.
    pub state: SnapshotState,
    /// `None`: the engine does not tell, as of an unreadable one.
    pub amounts: Option<Amounts>,
}

/// How far a backup is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupProgress {
    /// Its ID.
    pub id: BackupId,
    /// Its state.
    pub state: BackupState,
    /// How much of it is done, in thousandths: 1000 if both parts have succeeded, and less otherwise.
    pub permille: u16,
    /// When its first snapshot was started.
    pub started: Option<Timestamp>,
    /// From then until its end, or until now.
    pub elapsed: Option<Duration>,
    /// How long it will probably go on. `None`: not known, or it has ended.
    pub remaining: Option<Duration>,
    /// Its snapshots, by part.
    pub parts: Vec<PartProgress>,
}

const ALL: u16 = 1000;
/// What part 1 counts for. Its indices are small, and what part 2 has to write is not known before it runs.
const PART_ONE_SHARE: u16 = 50;

impl BackupProgress {
    /// Of a backup, with what the engine tells of its snapshots, in their order.
    pub(crate) fn new(backup: &Backup, amounts: Vec<Option<Amounts>>, now: Timestamp) -> Self {
        let parts = backup.snapshots.iter().zip(amounts).map(|(snapshot, amounts)| PartProgress {
            name: snapshot.name.clone(),
            state: snapshot.state,
            amounts,
        });
        let parts: Vec<PartProgress> = parts.collect();
        let started = backup.snapshots.iter().filter_map(|snapshot| snapshot.started).min();
        let until = if backup.state == BackupState::InProgress { Some(now) } else { last_end(&backup.snapshots) };
        Self {
            id: backup.id,
            state: backup.state,
            permille: permille(&parts),
            started,
            elapsed: started.zip(until).map(|(started, until)| until.since(started)),
            remaining: remaining(backup, &parts, now),
            parts,
        }
    }
}

/// The last end, if all have ended.
fn last_end(snapshots: &[Snapshot]) -> Option<Timestamp> {
    let ends: Option<Vec<Timestamp>> = snapshots.iter().map(|snapshot| snapshot.ended).collect();
    ends?.into_iter().max()
}

/// Each part has a fixed share, so that the start of part 2 takes nothing back.
fn permille(parts: &[PartProgress]) -> u16 {
    let of_part = |part: Part| {
        let share = share(part);
        parts.iter().find(|progress| progress.name.part == part).map_or(0, |progress| progress.of(share))
    };
    let sum = Part::ALL.into_iter().map(of_part).sum();
    let is_whole = parts.len() == Part::COUNT && parts.iter().all(|part| part.state == SnapshotState::Success);
    if is_whole { sum } else { sum.min(ALL - 1) }
}

fn share(part: Part) -> u16 {
    match part {
        Part::One => PART_ONE_SHARE,
        Part::Two => ALL - PART_ONE_SHARE,
    }
}

impl PartProgress {
    /// That part of `whole` which is done.
    fn of(&self, whole: u16) -> u16 {
        match (self.state, self.amounts) {
            (SnapshotState::Success, _) => whole,
            (SnapshotState::InProgress, Some(Amounts { bytes, .. })) if bytes.total > 0 => {
                ratio(whole, bytes.done, bytes.total)
            }
            (_, Some(Amounts { shards, .. })) => ratio(whole, shards.done.into(), shards.total.into()),
            (_, None) => 0,
        }
    }
}

/// Rounded down; 0 of nothing.
fn ratio(whole: u16, done: u64, total: u64) -> u16 {
    let ratio = (u128::from(whole) * u128::from(done)).checked_div(total.into()).unwrap_or_default();
    u16::try_from(ratio).unwrap_or(whole).min(whole)
}

/// At the average speed of part 2 so far.
fn remaining(backup: &Backup, parts: &[PartProgress], now: Timestamp) -> Option<Duration> {
    /// Of the bytes: before that, the speed is not known.
    const MIN_PERCENT: u128 = 1;
    let is_running = |part: &&PartProgress| part.name.part == Part::Two && part.state == SnapshotState::InProgress;
    let bytes = parts.iter().find(is_running)?.amounts?.bytes;
    let started = backup.snapshots.iter().find(|snapshot| snapshot.name.part == Part::Two)?.started?;
    let (done, left) = (u128::from(bytes.done), u128::from(bytes.total.saturating_sub(bytes.done)));
    if done == 0 || left == 0 || done * 100 < u128::from(bytes.total) * MIN_PERCENT {
        return None;
    }
    let elapsed = u128::from(milliseconds(now.since(started)));
    let millis = (elapsed * left).checked_div(done).filter(|&millis| millis > 0)?;
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests;
