use std::time::Duration;

use backup_core::RunPacer;
use tokio_util::sync::CancellationToken;

use super::run::{begun, shortened};
use super::{Runs, age};
use crate::policy::PolicyCalls;
use crate::sandbox::CallError;
use crate::sandbox::types::{Backup, BackupId, BackupState, Error};

/// Takes steps until the run ends or is stopped. A step in progress is finished first: once the run has stopped, nothing
/// more is written.
///
/// A run keeps the policy that it began with, unless that is withdrawn.
pub(super) async fn drive(runs: &Runs, id: BackupId, mut calls: PolicyCalls, stop: &CancellationToken) {
    let mut pacer = RunPacer::new(fastrand::f64);
    let mut delay = Duration::ZERO;
    let mut was_dropped = false;
    while stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_some() {
        calls = runs.policies.successor_of(calls);
        let notes = runs.notes_of(id);
        let awaits_part_two = notes.iter().any(|note| note.awaited == Some(2));
        match calls.advance(id, notes).await {
            Ok(progress) => {
                runs.update(id, |run| run.observe(&progress));
                let Some(again_in) = progress.again_in.map(Duration::from_millis) else {
                    report_end(runs, &progress.backup);
                    return;
                };
                if progress.accepted {
                    tracing::info!("the search engine accepted part 2");
                }
                delay = match progress.refusal {
                    // A part 2 that was dropped once may be dropped again: the delays go on growing.
                    None if was_dropped => again_in,
                    None => pacer.after_progress(again_in),
                    Some(refusal) => {
                        was_dropped |= awaits_part_two;
                        tracing::warn!(refusal = shortened(refusal), "there is no part 2; trying again");
                        runs.metrics.runs.retried();
                        pacer.after_refusal(again_in)
                    }
                };
            }
            Err(CallError::Refused(Error::NotFound(_))) => {
                tracing::warn!("the backup was deleted while it was being made");
                runs.forget(id, None);
                return;
            }
            Err(error) => {
                delay = pacer.after_failure();
                tracing::warn!(%error, retryInSeconds = delay.as_secs_f64(), "a step of the run failed; trying again");
                runs.metrics.runs.retried();
                runs.update(id, |run| run.trouble = Some(error.to_string()));
            }
        }
    }
}

/// The span of the run says which backup it is.
fn report_end(runs: &Runs, backup: &Backup) {
    let Backup { backup_id: id, state, failure_reason, details, .. } = backup;
    runs.metrics.runs.ended((*state).into(), begun(details).map(age));
    match state {
        BackupState::Complete => {
            tracing::info!("the backup is complete");
            runs.overview.completed(*id);
        }
        state => {
            let state = backup_core::BackupState::from(*state);
            tracing::error!(%state, reason = failure_reason, "the backup has ended and cannot be restored");
        }
    }
}
