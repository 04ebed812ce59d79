//! Decides the next step of a run, which makes one backup.

use std::time::Duration;

use crate::{BackupId, Context, Origin, Part, Snapshot, SnapshotState, Timestamp};

/// A host's note on a run that it drove. These facts are nowhere in the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunNote {
    /// The backup that the run made.
    pub backup_id: BackupId,
    /// The run. After a delete, an ID can be used again by another run, which this note is not about.
    pub run_id: String,
    /// The run has ended here and must not be resumed.
    pub ended: bool,
    /// The engine's last refusal of part 2.
    pub refusal: Option<String>,
    /// The part that the engine accepted, and of which the host has not seen the end. If the engine does not list it, it
    /// has dropped it, or somebody has deleted it.
    pub awaited: Option<Part>,
}

/// The next step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// A part is being written: look again after this time.
    Wait(Duration),
    /// Part 1 succeeded and part 2 does not exist.
    StartPartTwo {
        /// The run that wrote part 1.
        run_id: String,
    },
    /// None: both parts have ended, or part 2 must not be started.
    Finish,
}

/// How long to wait at most until the next look.
const MAX_WAIT: Duration = Duration::from_secs(10);

impl NextStep {
    /// Decides from the snapshots that exist.
    #[must_use]
    pub fn of(snapshots: &[Snapshot], context: &Context) -> Self {
        if let Some(running) = snapshots.iter().find(|snapshot| snapshot.state == SnapshotState::InProgress) {
            return Self::Wait(poll_delay(running, context));
        }
        match resumable(snapshots, context) {
            Some(part_one) => Self::StartPartTwo { run_id: part_one.run_id.clone() },
            None => Self::Finish,
        }
    }
}

/// The origin of part 1, if only part 2 is missing and may still be started.
///
/// Only a run that a policy began is resumed, only for the installation that it is of, whose indices part 2 must have,
/// and only within the resume window: the longer after part 1 part 2 is taken, the more Optimize has to import again after
/// a restore.
pub(crate) fn resumable<'a>(snapshots: &'a [Snapshot], context: &Context) -> Option<&'a Origin> {
    let (origin, ended) = waits_for_part_two(snapshots, context)?;
    (context.window_clock() <= ended.after(context.settings.resume_window)).then_some(origin)
}

/// The origin and the end of part 1, if only part 2 is missing and only the time decides whether it may be started.
pub(crate) fn waits_for_part_two<'a>(snapshots: &'a [Snapshot], context: &Context) -> Option<(&'a Origin, Timestamp)> {
    let [part_one] = snapshots else { return None };
    let is_ours = part_one.may_be_of(&context.settings.index_prefix);
    if part_one.name.part != Part::One || part_one.state != SnapshotState::Success || !is_ours {
        return None;
    }
    // A run that ended because part 1 was not there may go on if that was an error of the list.
    let ended_here = run_note(context, part_one).is_some_and(|note| note.ended && note.awaited != Some(Part::One));
    if ended_here { None } else { Some((part_one.origin.as_ref()?, part_one.ended?)) }
}

/// The backups of which the engine accepted part 1, and nobody saw its end: if there is no snapshot, it has dropped it.
///
/// A part 1 that succeeded is never dropped: if all snapshots are gone while part 2 is written, somebody deleted them.
pub(crate) fn awaiting_part_one(context: &Context) -> impl Iterator<Item = BackupId> {
    context.notes.iter().filter(|note| note.awaited == Some(Part::One)).map(|note| note.backup_id)
}

/// The host's note on the run that wrote a snapshot.
pub(crate) fn run_note<'a>(context: &'a Context, snapshot: &Snapshot) -> Option<&'a RunNote> {
    let is_of = |note: &&RunNote| note.backup_id == snapshot.name.backup_id && Some(&*note.run_id) == snapshot.run_id();
    context.notes.iter().find(is_of)
}

/// A quarter of the snapshot's age, at most a quarter of the resume window, within which its end must be seen.
fn poll_delay(snapshot: &Snapshot, context: &Context) -> Duration {
    const MIN_WAIT: Duration = Duration::from_millis(200);
    let max_wait = (context.settings.resume_window / 4).clamp(MIN_WAIT, MAX_WAIT);
    let age = snapshot.started.map_or(Duration::ZERO, |started| context.now.since(started));
    (age / 4).clamp(MIN_WAIT, max_wait)
}
