use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

use super::Runs;
use crate::policy::PolicyCalls;
use crate::sandbox::CallError;
use crate::sandbox::types::{BackupId, BackupState, Error, Progress};

/// Takes steps until the run ends or is stopped. A step that was begun is finished: whoever stops the
/// run wants to know that nothing more is written.
///
/// A run keeps the policy that it began with, as long as that one can be relied upon.
pub(super) async fn drive(runs: &Runs, id: BackupId, mut calls: PolicyCalls, stop: &CancellationToken) {
    let mut troubles = backoff();
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
                troubles = backoff();
                // What the engine had against part 2 is overcome.
                runs.update(id, |run| (run.trouble, run.refusal) = (None, None));
                delay = Duration::from_millis(millis);
            }
            Ok(Progress { again_in: Some(millis), refusal: Some(refusal), .. }) => {
                let refusal = shortened(refusal);
                tracing::warn!(backup = id, refusal, "the engine refused part 2; trying again");
                runs.metrics.run_retried();
                runs.update(id, |run| (run.trouble, run.refusal) = (None, Some(refusal)));
                delay = next(&mut troubles).max(Duration::from_millis(millis));
            }
            Err(CallError::Refused(Error::NotFound(_))) => {
                tracing::warn!(backup = id, "the backup was deleted while it was being made");
                runs.forget(id);
                return;
            }
            Err(error) => {
                delay = next(&mut troubles);
                tracing::warn!(backup = id, %error, retry_in = ?delay, "cannot go on with the backup at the moment");
                runs.metrics.run_retried();
                runs.update(id, |run| run.trouble = Some(error.to_string()));
            }
        }
    }
}

/// A refusal can name every index that there is. It is remembered, and told with each list.
fn shortened(mut refusal: String) -> String {
    const MAX_BYTES: usize = 1_000;
    if refusal.len() > MAX_BYTES {
        refusal.truncate(refusal.floor_char_boundary(MAX_BYTES));
        refusal.push('…');
    }
    refusal
}

fn report_end(id: BackupId, state: BackupState, reason: Option<&str>) {
    match (state, reason) {
        (BackupState::Complete, _) => tracing::info!(backup = id, "the backup is complete"),
        (_, reason) => tracing::error!(backup = id, ?state, reason, "the backup has ended and cannot be restored"),
    }
}

fn backoff() -> ExponentialBackoff {
    const MIN_DELAY: Duration = Duration::from_millis(500);
    // The jitter can double it.
    const MAX_DELAY: Duration = Duration::from_secs(15);
    ExponentialBuilder::new()
        .with_min_delay(MIN_DELAY)
        .with_max_delay(MAX_DELAY)
        .with_jitter()
        .without_max_times()
        .build()
}

fn next(delays: &mut ExponentialBackoff) -> Duration {
    delays.next().unwrap_or_default()
}
