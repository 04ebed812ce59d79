use std::time::Duration;

use backup_core::text::cut;
use backup_core::{RunPacer, milliseconds};

use super::Verifications;
use super::limits::Limits;
use super::state::{End, Left, failures};
use crate::backups::reason_of;
use crate::clock;
use crate::policy::PolicyCalls;
use crate::sandbox::CallError;
use crate::sandbox::types::Error;
use crate::sandbox::verifications::{CheckOutcome, VerificationRun};

/// Whatever a policy says, the host does not ask all the time, nor so seldom that it looks dead to others.
const MIN_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(20);
/// How much of an engine's or a policy's words is kept.
const MAX_CHARS: usize = 1_000;

/// Takes steps until the verification ends or the host stops. A step in progress is finished first. Whatever ends it, what it
/// has made is cleared.
///
/// It keeps the policy that it began with, unless that is withdrawn. `made_by` is the run that made the backup.
pub(super) async fn drive(
    verifications: &Verifications,
    mut run: VerificationRun,
    made_by: Option<String>,
    mut calls: PolicyCalls,
) {
    let mut pacer = RunPacer::new(fastrand::f64);
    let mut limits = Limits::new();
    // What has last gone wrong since there was progress.
    let mut obstacle = None;
    let mut delay = Duration::ZERO;
    while verifications.stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_some() {
        calls = verifications.policies.successor_of(calls);
        let trouble = match calls.advance_verification(&run).await {
            Ok(step) => {
                run = step.run;
                let again_in = step.again_in.map(|millis| Duration::from_millis(millis).clamp(MIN_DELAY, MAX_DELAY));
                let Some(again_in) = again_in else {
                    verifications.lock().left = Left::Nothing;
                    let failure = failures(&run.checks);
                    return verifications.ended(end(run, made_by, failure));
                };
                let refusal = step.refusal.map(|refusal| cut(refusal, MAX_CHARS));
                if limits.stepped(&run, step.bytes) {
                    obstacle = None;
                }
                delay = if refusal.is_some() { pacer.after_refusal(again_in) } else { pacer.after_progress(again_in) };
                // A step that only writes to the lock, or deletes copies, tells no bytes.
                verifications
                    .update(|current| (current.run, current.bytes) = (Some(run.clone()), step.bytes.or(current.bytes)));
                refusal
            }
            Err(error) => {
                limits.failed(&error);
                delay = pacer.after_failure();
                let text = cut(reason_of(&error), MAX_CHARS);
                if is_final(&error) {
                    return give_up(verifications, &calls, run, made_by, text).await;
                }
                Some(text)
            }
        };
        if let Some(trouble) = &trouble {
            tracing::warn!(
                backupId = run.backup_id,
                error = trouble,
                retryInSeconds = delay.as_secs_f64(),
                "a step of the verification did not succeed; trying again"
            );
        }
        obstacle = trouble.clone().or(obstacle);
        if let Some(reason) = limits.exceeded() {
            let text = obstacle.map_or_else(|| reason.to_owned(), |obstacle| format!("{reason}: {obstacle}"));
            return give_up(verifications, &calls, run, made_by, text).await;
        }
        verifications.update(|current| current.trouble = trouble);
    }
    clear(verifications, &verifications.policies.successor_of(calls), &run).await;
}

/// The backup is gone, or the lock is another's.
fn is_final(error: &CallError) -> bool {
    matches!(error, CallError::Refused(Error::NotFound(_) | Error::Conflict(_)))
}

/// Once every check has ended, they alone tell how: what is left of the copies is no fault of the backup.
async fn give_up(
    verifications: &Verifications,
    calls: &PolicyCalls,
    run: VerificationRun,
    made_by: Option<String>,
    reason: String,
) {
    clear(verifications, calls, &run).await;
    if !run.checks.is_empty() && run.checks.iter().all(|check| check.outcome != CheckOutcome::Pending) {
        tracing::warn!(backupId = run.backup_id, reason, "the verification could not delete all that it has made");
        let failure = failures(&run.checks);
        return verifications.ended(end(run, made_by, failure));
    }
    let failure = [failures(&run.checks), Some(format!("it could not be carried out: {reason}"))];
    let failure = failure.into_iter().flatten().collect::<Vec<_>>().join("; ");
    verifications.ended(end(run, made_by, Some(failure)));
}

/// What cannot be cleared now is cleared later, as what a killed host has left.
async fn clear(verifications: &Verifications, calls: &PolicyCalls, run: &VerificationRun) {
    let cleared = verifications.clear_own(calls, run).await;
    if let Err(error) = &cleared {
        tracing::warn!(backupId = run.backup_id, %error, "what the verification has made is not cleared yet");
    }
    verifications.lock().left = if cleared.unwrap_or(false) { Left::Nothing } else { Left::Something };
}

fn end(run: VerificationRun, made_by: Option<String>, failure: Option<String>) -> End {
    let VerificationRun { backup_id, run_id, checks, .. } = run;
    End { backup_id, made_by, run_id, checks, failure, at: milliseconds(clock::since_epoch()) }
}
