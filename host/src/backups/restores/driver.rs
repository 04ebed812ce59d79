use std::time::Duration;

use backup_core::RunPacer;
use backup_core::text::cut;

use super::Restores;
use crate::policy::PolicyCalls;
use crate::sandbox::CallError;
use crate::sandbox::restores::{Restore, RestoreRun, RestoreState};
use crate::sandbox::types::Error;

/// Takes steps until the restore ends or the host stops. A step in progress is finished first.
///
/// It keeps the policy that it began with, unless that is withdrawn.
pub(super) async fn drive(restores: &Restores, run: RestoreRun, mut calls: PolicyCalls) {
    let mut pacer = RunPacer::new(fastrand::f64);
    let mut delay = Duration::ZERO;
    while restores.stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_some() {
        calls = restores.policies.successor_of(calls);
        match calls.advance_restore(&run).await {
            Ok(step) => {
                let trouble = step.refusal.map(|refusal| cut(refusal, 1_000));
                if let Some(refusal) = &trouble {
                    tracing::warn!(
                        backupId = run.backup_id,
                        refusal,
                        "a step of the restore was refused; trying again"
                    );
                }
                let Some(again_in) = step.again_in.map(Duration::from_millis) else {
                    return end(restores, step.restore);
                };
                delay = if trouble.is_some() { pacer.after_refusal(again_in) } else { pacer.after_progress(again_in) };
                restores.update(|current| current.trouble = trouble);
            }
            Err(error @ CallError::Refused(Error::NotFound(_))) => {
                tracing::error!(backupId = run.backup_id, %error, "the backup was deleted while it was being restored");
                restores.update(|current| current.trouble = Some(error.to_string()));
                return;
            }
            Err(error) => {
                delay = pacer.after_failure();
                tracing::warn!(
                    backupId = run.backup_id, %error, retryInSeconds = delay.as_secs_f64(),
                    "a step of the restore failed; trying again"
                );
                restores.update(|current| current.trouble = Some(error.to_string()));
            }
        }
    }
}

fn end(restores: &Restores, restore: Restore) {
    let (id, reason, next) = (restore.backup_id, restore.failure_reason.as_deref(), restore.next_step.as_deref());
    match restore.state {
        RestoreState::Complete => tracing::info!(backupId = id, next, "the restore is complete"),
        _ => tracing::error!(backupId = id, reason, "the restore has ended without success"),
    }
    restores.update(|current| (current.trouble, current.end) = (None, Some(restore)));
}
