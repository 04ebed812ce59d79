use std::time::Duration;

use backup_core::RunPacer;
use backup_core::text::cut;
use tokio_util::sync::CancellationToken;

use super::Runs;
use crate::policy::PolicyCalls;
use crate::sandbox::CallError;
use crate::sandbox::types::{BackupId, BackupState, Error, Progress};

/// Takes steps until the run ends or is stopped. A step in progress is finished first: once the run has stopped, nothing
/// more is written.
///
/// A run keeps the policy that it began with, unless that is withdrawn.
pub(super) async fn drive(runs: &Runs, id: BackupId, mut calls: PolicyCalls, stop: &CancellationToken) {
    let mut pacer = RunPacer::new(fastrand::f64);
    let mut delay = Duration::ZERO;
    while stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_some() {
        calls = runs.policies.successor_of(calls);
        match calls.advance(id, runs.notes_of(id)).await {
            Ok(Progress { again_in: None, backup, refusal }) => {
                runs.update(id, |run| {
                    run.ended = true;
                    run.refusal = refusal.map(shortened).or(run.refusal.take());
                });
                report_end(id, backup.state, backup.failure_reason.as_deref());
                runs.metrics.run_ended(backup.state.into());
                return;
            }
            Ok(Progress { again_in: Some(millis), refusal: None, .. }) => {
                // What the engine had against part 2 is overcome.
                runs.update(id, |run| (run.trouble, run.refusal) = (None, None));
                delay = pacer.after_progress(Duration::from_millis(millis));
            }
            Ok(Progress { again_in: Some(millis), refusal: Some(refusal), .. }) => {
                let refusal = shortened(refusal);
                tracing::warn!(backup = id, refusal, "the search engine refused part 2; trying again");
                runs.metrics.run_retried();
                runs.update(id, |run| (run.trouble, run.refusal) = (None, Some(refusal)));
                delay = pacer.after_refusal(Duration::from_millis(millis));
            }
            Err(CallError::Refused(Error::NotFound(_))) => {
                tracing::warn!(backup = id, "the backup was deleted while it was being made");
                runs.forget(id);
                return;
            }
            Err(error) => {
                delay = pacer.after_failure();
                tracing::warn!(backup = id, %error, retry_in = ?delay, "a step of the run failed; trying again");
                runs.metrics.run_retried();
                runs.update(id, |run| run.trouble = Some(error.to_string()));
            }
        }
    }
}

/// A refusal can name hundreds of indices. It is kept, and is a part of each list of backups.
fn shortened(refusal: String) -> String {
    cut(refusal, 1_000)
}

fn report_end(id: BackupId, state: BackupState, reason: Option<&str>) {
    match (state, reason) {
        (BackupState::Complete, _) => tracing::info!(backup = id, "the backup is complete"),
        (_, reason) => tracing::error!(backup = id, ?state, reason, "the backup has ended and cannot be restored"),
    }
}
