//! When a backup goes on.

use std::time::Duration;

use crate::{BackupId, Context, Part, Snapshot, SnapshotState};

/// What a host remembers of a run that it drove. An engine keeps no trace of these facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunNote {
    /// The backup that the run made.
    pub backup_id: BackupId,
    /// The run. A number can be used again after a delete, by a run that this note is not about.
    pub run_id: String,
    /// The run has ended here and is not going on.
    pub ended: bool,
    /// The engine's last refusal of part 2.
    pub refusal: Option<String>,
}

/// What a run has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A part is being written, or is to be started by somebody else: look again after this time.
    Wait(Duration),
    /// Part 1 succeeded and part 2 does not exist.
    StartPartTwo {
        /// The run that wrote part 1.
        run_id: String,
    },
    /// Nothing: both parts ended, or something makes going on wrong.
    Finish,
}

/// How long to wait at most until the next look.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Step {
    /// Decides from the snapshots that exist.
    #[must_use]
    pub fn next(snapshots: &[Snapshot], context: &Context) -> Self {
        if let Some(running) = snapshots.iter().find(|snapshot| snapshot.state == SnapshotState::InProgress) {
            return Self::Wait(poll_delay(running, context));
        }
        match in_the_gap(snapshots, context) {
            Some(part_one) if part_one.is_of(&context.settings.index_prefix) => {
                Self::StartPartTwo { run_id: part_one.run_id.clone() }
            }
            // Another installation's hosts start its part 2: from here it would be made of the wrong indices.
            Some(_) => Self::Wait(LONGEST_WAIT),
            None => Self::Finish,
        }
    }
}

/// The origin of part 1, if all that is missing is a part 2 that may still be started.
///
/// Only a run that a policy began is gone on with, and only for a while: the longer after part 1
/// part 2 is taken, the more Optimize has to import again after a restore.
pub(crate) fn in_the_gap<'a>(snapshots: &'a [Snapshot], context: &Context) -> Option<&'a crate::Origin> {
    let [part_one] = snapshots else { return None };
    if part_one.name.part != Part::One || part_one.state != SnapshotState::Success {
        return None;
    }
    let last_moment = part_one.ended?.after(context.settings.resume_window);
    let ended_here = note(context, part_one).is_some_and(|note| note.ended);
    if context.now > last_moment || ended_here { None } else { part_one.origin.as_ref() }
}

/// What the host remembers of the run that wrote a snapshot.
pub(crate) fn note<'a>(context: &'a Context, snapshot: &Snapshot) -> Option<&'a RunNote> {
    let is_of = |note: &&RunNote| note.backup_id == snapshot.name.backup_id && Some(&*note.run_id) == snapshot.run_id();
    context.notes.iter().find(is_of)
}

/// A young snapshot may end at any moment, an old one will take longer. Its end must be seen in time to go on.
fn poll_delay(snapshot: &Snapshot, context: &Context) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(200);
    let longest = (context.settings.resume_window / 4).clamp(SHORTEST, LONGEST_WAIT);
    let age = snapshot.started.map_or(Duration::ZERO, |started| context.now.since(started));
    (age / 4).clamp(SHORTEST, longest)
}
