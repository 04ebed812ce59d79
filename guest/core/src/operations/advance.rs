use std::time::Duration;

use crate::answer::success;
use crate::listing::Listing;
use crate::operations::inspect::existing;
use crate::operations::{exchange, select_part_two};
use crate::{Backup, BackupId, Context, Engine, Error, Origin, Part, Refusal, Request, RunNote, SnapshotName, Step};

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The backup after this step.
    pub backup: Backup,
    /// When to take the next step. `None`: the run has ended.
    pub again_in: Option<Duration>,
    /// The engine's refusal of part 2 in this step.
    pub refusal: Option<String>,
}

/// How long to wait after a refusal that can pass, unless the engine says.
const AFTER_REFUSAL: Duration = Duration::from_secs(2);
/// How long to wait at most, whatever the engine says: the time for part 2 runs out meanwhile.
const LONGEST: Duration = Duration::from_secs(30);
/// How soon to look at a part 2 that has just been started.
const AFTER_START: Duration = Duration::from_millis(200);

/// Takes a run one step further: looks at the snapshots, and starts part 2 if it is time to.
///
/// # Errors
/// This look failed; take the step again. [`Error::BackupNotFound`]: it was deleted, the run is over.
pub fn advance(engine: &impl Engine, context: &Context, id: BackupId) -> Result<Progress, Error> {
    let listing = Listing::of_backup(engine, context.repository()?, id)?.settled()?;
    let snapshots = existing(listing, context, id)?;
    let next = Step::next(&snapshots, context);
    let part_one = snapshots.first().map(|snapshot| snapshot.name.clone());
    let backup = Backup::assess(id, snapshots, None, context);
    match (next, part_one) {
        (Step::StartPartTwo { run_id }, Some(part_one)) => {
            let outcome = start_part_two(engine, context, &part_one, &run_id)?;
            Ok(outcome.into_progress(backup, context))
        }
        (Step::Wait(delay), _) => Ok(Progress { backup, again_in: Some(delay), refusal: None }),
        _ => Ok(Progress { backup, again_in: None, refusal: None }),
    }
}

/// What became of the request for part 2.
enum Start {
    /// It is being written, by us or by another host that was faster.
    Running,
    /// Not now, perhaps later.
    Later { delay: Duration, refusal: String },
    /// Never.
    Never { refusal: String },
}

impl Start {
    /// What it means that part 2 was refused. A missing answer means nothing: the next look tells.
    fn refused(error: Error) -> Result<Self, Error> {
        match error.refusal() {
            Some(refusal) if refusal.is_name_in_use() => Ok(Self::Running),
            Some(refusal) if refusal.can_pass() => {
                Ok(Self::Later { delay: delay_after(refusal), refusal: refusal.to_string() })
            }
            Some(refusal) => Ok(Self::Never { refusal: refusal.to_string() }),
            None if is_final(&error) => {
                let refusal: Vec<String> = [Some(error.to_string()), error.detail()].into_iter().flatten().collect();
                Ok(Self::Never { refusal: refusal.join(": ") })
            }
            None => Err(error),
        }
    }

    fn into_progress(self, backup: Backup, context: &Context) -> Progress {
        match self {
            Self::Running => Progress { backup, again_in: Some(AFTER_START), refusal: None },
            Self::Later { delay, refusal } => Progress { backup, again_in: Some(delay), refusal: Some(refusal) },
            Self::Never { refusal } => {
                // The verdict of a run that has ended, which the engine does not know of.
                let note = RunNote {
                    backup_id: backup.id,
                    run_id: backup.run_id.clone().unwrap_or_default(),
                    ended: true,
                    refusal: Some(refusal.clone()),
                };
                let context = Context { notes: vec![note], ..context.clone() };
                let backup = Backup::assess(backup.id, backup.snapshots, None, &context);
                Progress { backup, again_in: None, refusal: Some(refusal) }
            }
        }
    }
}

/// Whether an error that is no refusal of the engine's will be the same at the next attempt.
fn is_final(error: &Error) -> bool {
    matches!(error, Error::Denied { .. } | Error::NothingToSnapshot { .. } | Error::IndicesMissing { .. })
}

fn start_part_two(
    engine: &impl Engine,
    context: &Context,
    part_one: &SnapshotName,
    run_id: &str,
) -> Result<Start, Error> {
    match submit_part_two(engine, context, part_one, run_id) {
        Ok(()) => Ok(Start::Running),
        Err(error) => Start::refused(error),
    }
}

fn submit_part_two(
    engine: &impl Engine,
    context: &Context,
    part_one: &SnapshotName,
    run_id: &str,
) -> Result<(), Error> {
    let repository = context.repository()?;
    let selection = select_part_two(engine, context)?;
    let name = SnapshotName { part: Part::Two, ..part_one.clone() };
    let origin = Origin::new(run_id, Part::Two, context);
    let put = Request::create(repository, &name, &selection, origin);
    match success(&exchange(engine, &put)?) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(Error::refused(&put, refusal, repository)),
    }
}

fn delay_after(refusal: &Refusal) -> Duration {
    match refusal.retry_after {
        Some(asked) => asked.clamp(AFTER_REFUSAL, LONGEST),
        // The index list is out of date already: look it up again.
        None if refusal.is_index_missing() => AFTER_START,
        None => AFTER_REFUSAL,
    }
}
