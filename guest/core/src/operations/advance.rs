use std::borrow::Cow;
use std::time::Duration;

use crate::backup::dropped;
use crate::listing::Listing;
use crate::operations::inspect::{existing, is_dropped};
use crate::operations::{ask_clock_for, select_part_two, send, while_indices_vanish};
use crate::refusal::success;
use crate::run::run_note;
use crate::{
    Backup, BackupId, Context, Engine, Error, NextStep, Origin, Part, Refusal, Request, RunNote, SnapshotName,
};

/// The result of one step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The backup after this step.
    pub backup: Backup,
    /// When to take the next step. `None`: the run has ended.
    pub again_in: Option<Duration>,
    /// The engine's refusal of part 2 in this step, or that it has dropped the part 2 that it accepted.
    pub refusal: Option<String>,
    /// In this step the engine accepted part 2.
    pub accepted: bool,
}

impl Step {
    fn of(backup: Backup) -> Self {
        Self { backup, again_in: None, refusal: None, accepted: false }
    }
}

/// How long to wait after a transient refusal without `Retry-After`.
const AFTER_REFUSAL: Duration = Duration::from_secs(2);
/// The longest `Retry-After` that is observed: the resume window passes meanwhile.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(30);
/// How long to wait after the start of part 2.
const AFTER_START: Duration = Duration::from_millis(200);

/// Takes the next step of a run: reads the snapshots, and starts part 2 if part 1 has succeeded.
///
/// # Errors
/// [`Error::BackupNotFound`]: the backup was deleted, and the run is over. After any other error, take the step again.
pub fn advance(engine: &impl Engine, context: &Context, id: BackupId) -> Result<Step, Error> {
    let repository = context.repository()?;
    let listing = Listing::of_backup(engine, repository, id)?.or_transient_error()?;
    if is_dropped(&listing, context, id) {
        return Ok(Step::of(Backup::dropped(id, repository)));
    }
    let snapshots = existing(engine, listing, context, id)?;
    let mut context = Cow::Borrowed(context);
    ask_clock_for(engine, &mut context, &snapshots)?;
    let next = NextStep::of(&snapshots, &context);
    let part_one = snapshots.first().map(|snapshot| snapshot.name.clone());
    let awaits_part_two =
        snapshots.first().and_then(|part_one| run_note(&context, part_one)?.awaited) == Some(Part::Two);
    let backup = Backup::assess(id, snapshots, None, &context);
    match (next, part_one) {
        // The cause can pass. The host waits longer each time.
        (NextStep::StartPartTwo { .. }, _) if awaits_part_two => {
            let refusal = Some(dropped(Part::Two, repository));
            Ok(Step { again_in: Some(AFTER_REFUSAL), refusal, ..Step::of(backup) })
        }
        (NextStep::StartPartTwo { run_id }, Some(part_one)) => {
            let start = while_indices_vanish(|| start_part_two(engine, &context, &part_one, &run_id))
                .map_or_else(Start::refused, |()| Ok(Start::Running));
            Ok(start?.into_step(backup, &context))
        }
        (NextStep::Wait(delay), _) => Ok(Step { again_in: Some(delay), ..Step::of(backup) }),
        _ => Ok(Step::of(backup)),
    }
}

/// The result of the request that starts part 2.
enum Start {
    /// It is being written, by this host or by another one.
    Running,
    /// It was refused, and is worth another attempt.
    Retry { delay: Duration, refusal: String },
    /// It was refused for good.
    Rejected { refusal: String },
}

impl Start {
    /// An error without a refusal does not tell whether it was started: the next step reads that.
    fn refused(error: Error) -> Result<Self, Error> {
        match error.refusal() {
            Some(refusal) if refusal.is_name_in_use() => Ok(Self::Running),
            Some(refusal) if refusal.is_transient() => {
                Ok(Self::Retry { delay: delay_after(refusal), refusal: refusal.to_string() })
            }
            Some(refusal) => Ok(Self::Rejected { refusal: refusal.to_string() }),
            None if is_final(&error) => {
                let refusal: Vec<String> = [Some(error.to_string()), error.detail()].into_iter().flatten().collect();
                Ok(Self::Rejected { refusal: refusal.join(": ") })
            }
            None => Err(error),
        }
    }

    fn into_step(self, backup: Backup, context: &Context) -> Step {
        match self {
            Self::Running => Step { again_in: Some(AFTER_START), accepted: true, ..Step::of(backup) },
            Self::Retry { delay, refusal } => {
                Step { again_in: Some(delay), refusal: Some(refusal), ..Step::of(backup) }
            }
            Self::Rejected { refusal } => {
                // The state of the backup, now that its run has ended.
                let note = RunNote {
                    backup_id: backup.id,
                    run_id: backup.run_id.clone().unwrap_or_default(),
                    ended: true,
                    refusal: Some(refusal.clone()),
                    awaited: None,
                };
                let context = Context { notes: vec![note], ..context.clone() };
                let backup = Backup::assess(backup.id, backup.snapshots, None, &context);
                Step { refusal: Some(refusal), ..Step::of(backup) }
            }
        }
    }
}

/// Whether an error that is not the engine's will be the same at the next attempt.
fn is_final(error: &Error) -> bool {
    matches!(
        error,
        Error::Denied { .. }
            | Error::NothingToSnapshot { .. }
            | Error::IndicesMissing { .. }
            // Part 1 is of what was there before it.
            | Error::RestoreInProgress { .. }
    )
}

fn start_part_two(engine: &impl Engine, context: &Context, part_one: &SnapshotName, run_id: &str) -> Result<(), Error> {
    let repository = context.repository()?;
    let (installation, selection) = select_part_two(engine, context)?;
    let name = SnapshotName { part: Part::Two, ..part_one.clone() };
    let origin = Origin::new(run_id, Part::Two, context).recording(engine, context, &installation, &selection);
    let put = Request::create(repository, &name, &selection, origin);
    match success(&send(engine, &put)?) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(Error::refused(&put, refusal, repository)),
    }
}

fn delay_after(refusal: &Refusal) -> Duration {
    match refusal.retry_after {
        Some(asked) => asked.clamp(AFTER_REFUSAL, MAX_RETRY_AFTER),
        // The list of indices is outdated: read it again.
        None if refusal.is_index_missing() => AFTER_START,
        None => AFTER_REFUSAL,
    }
}
