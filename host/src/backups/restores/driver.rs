use std::time::Duration;

use backup_core::RunPacer;
use backup_core::text::cut;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Restores;
use crate::backups::reason_of;
use crate::policy::PolicyCalls;
use crate::sandbox::CallError;
use crate::sandbox::restores::{Restore, RestoreRun, RestoreState, RestoreStep};
use crate::sandbox::types::Error;

/// After so long with the same lasting error, a restore has failed.
const MAX_LASTING: Duration = Duration::from_secs(600);
const AFTER_LASTING: &str = "do not start Optimize: mend the cause, and start the restore of this backup again, which goes on with what is missing; or restore another backup";

/// Takes steps until the restore ends or the host stops. A step in progress is finished first. After the first one
/// `first_step` is dropped, however it went.
///
/// It keeps the policy that it began with, unless that is withdrawn.
pub(super) async fn drive(
    restores: &Restores,
    run: RestoreRun,
    mut calls: PolicyCalls,
    first_step: oneshot::Sender<()>,
) {
    let mut first_step = Some(first_step);
    let mut pacer = RunPacer::new(fastrand::f64);
    let mut lasting = Lasting::default();
    let mut delay = Duration::ZERO;
    while restores.stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_some() {
        calls = restores.policies.successor_of(calls);
        let step = calls.advance_restore(&run).await;
        let has_ended = lasting.is_over(lasting_kind(&step));
        match step {
            Ok(RestoreStep { refusal: Some(refusal), .. }) if has_ended => {
                let restore = failed(&run, &refusal);
                return end(restores, &calls, &run, restore).await;
            }
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
                    return end(restores, &calls, &run, step.restore).await;
                };
                delay = if trouble.is_some() { pacer.after_refusal(again_in) } else { pacer.after_progress(again_in) };
                restores.update(|current| (current.trouble, current.last) = (trouble, Some(step.restore)));
            }
            Err(error @ CallError::Refused(Error::NotFound(_))) => {
                tracing::error!(backupId = run.backup_id, %error, "the backup was deleted while it was being restored");
                restores.update(|current| current.trouble = Some(error.to_string()));
                return;
            }
            Err(error) if has_ended => {
                let restore = failed(&run, &reason_of(&error));
                return end(restores, &calls, &run, restore).await;
            }
            Err(error) => {
                delay = pacer.after_failure();
                tracing::warn!(
                    backupId = run.backup_id, %error, retryInSeconds = delay.as_secs_f64(),
                    "a step of the restore failed; trying again"
                );
                let trouble = cut(reason_of(&error), 1_000);
                restores.update(|current| current.trouble = Some(trouble));
            }
        }
        first_step.take();
    }
}

/// Since when the steps fail in the same way, if that will not pass by itself.
#[derive(Default)]
struct Lasting(Option<(String, Instant)>);

impl Lasting {
    /// Whether it has lasted for so long that there is no point in another step.
    fn is_over(&mut self, kind: Option<String>) -> bool {
        let Some(kind) = kind else {
            self.0 = None;
            return false;
        };
        match &self.0 {
            Some((known, since)) if *known == kind => since.elapsed() >= MAX_LASTING,
            _ => {
                self.0 = Some((kind, Instant::now()));
                false
            }
        }
    }
}

/// The kind of an error that does not pass while nobody does something about it.
fn lasting_kind(step: &Result<RestoreStep, CallError>) -> Option<String> {
    /// The engine's 429, 502, 503 and 504.
    const ENGINE_BUSY: &str = "engineBusy";
    match step {
        Ok(step) => step.refusal.as_deref().and_then(lasting_refusal),
        Err(CallError::Refused(Error::Unreachable(_)) | CallError::Busy) => None,
        Err(CallError::Refused(error)) => Some(error.problem().code.clone()).filter(|code| code != ENGINE_BUSY),
        Err(other) => Some(other.outcome().to_owned()),
    }
}

/// Status and type of a refusal that does not name a passing state. A 500 can be a storage's hiccup, or its permanent answer.
fn lasting_refusal(refusal: &str) -> Option<String> {
    let kind = refusal.split(':').next().unwrap_or_default();
    kind.starts_with("500").then(|| kind.to_owned())
}

fn failed(run: &RestoreRun, reason: &str) -> Restore {
    Restore {
        backup_id: run.backup_id,
        state: RestoreState::Failed,
        bytes: None,
        indices: Vec::new(),
        failure_reason: Some(format!(
            "for {} minutes each step has failed: {}",
            MAX_LASTING.as_secs() / 60,
            cut(reason.to_owned(), 2_000)
        )),
        next_step: Some(AFTER_LASTING.to_owned()),
    }
}

async fn end(restores: &Restores, calls: &PolicyCalls, run: &RestoreRun, restore: Restore) {
    let (id, reason, next) = (restore.backup_id, restore.failure_reason.as_deref(), restore.next_step.as_deref());
    let is_complete = restore.state == RestoreState::Complete;
    if is_complete {
        tracing::info!(backupId = id, next, "the restore is complete");
    } else {
        tracing::error!(backupId = id, reason, "the restore has ended without success");
    }
    // One that has failed before it changed anything: what the engine tells is of an earlier one.
    let was_complete_before = !is_complete && {
        let told = calls.get_restore(&id.to_string(), run.rename_prefix.as_deref()).await;
        told.is_ok_and(|told| told.state == RestoreState::Complete)
    };
    restores.update(|current| {
        (current.trouble, current.end) = (None, Some(restore));
        current.was_complete_before = was_complete_before;
    });
}
