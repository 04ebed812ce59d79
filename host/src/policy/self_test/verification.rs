//! What a verification must do whatever a policy checks: one at a time, and nothing is left of it.

use super::cases::MAX_STEPS;
use super::{Outcome, TestBed, answer, list, mismatch, told};
use crate::sandbox::CallError;
use crate::sandbox::types::{BackupId, Error};
use crate::sandbox::verifications::{CheckOutcome, VerificationHolder, VerificationRun};

/// The code of a policy that does not verify.
const NOT_SUPPORTED: &str = "verificationNotSupported";

pub(super) async fn of_a_good_backup(bed: &TestBed, id: BackupId) -> Outcome {
    const CASE: &str = "a verification of a good backup";
    let (asked, before) = (id.to_string(), bed.indices());
    let begun = match bed.calls.begin_verification(&asked).await {
        Err(CallError::Refused(Error::InvalidRequest(problem))) if problem.code == NOT_SUPPORTED => return Ok(()),
        begun => begun,
    };
    let run = answer(CASE, "a run, or the code verificationNotSupported", begun)?;
    a_second_one(bed, &asked).await?;
    let run = advanced_to_the_end(CASE, bed, run).await?;
    if let Some(check) = run.checks.iter().find(|check| check.outcome == CheckOutcome::Failed) {
        return mismatch(CASE, "no check that fails", format!("{}: {}", check.name, check.found));
    }
    if bed.indices() != before {
        return mismatch(CASE, "the indices that were there before", list(bed.indices().into_keys()));
    }
    a_host_that_is_gone(bed, &asked).await
}

async fn a_second_one(bed: &TestBed, asked: &str) -> Outcome {
    match bed.calls.begin_verification(asked).await {
        Err(CallError::Refused(Error::Conflict(_))) => Ok(()),
        other => mismatch("a second verification at the same time", "the error 'conflict'", told(&other)),
    }
}

async fn advanced_to_the_end(case: &'static str, bed: &TestBed, begun: VerificationRun) -> Outcome<VerificationRun> {
    let mut run = begun;
    for _ in 0..2 * MAX_STEPS {
        let step = answer(case, "a step", bed.calls.advance_verification(&run).await)?;
        run = step.run;
        if step.again_in.is_none() {
            return Ok(run);
        }
    }
    mismatch(case, "an end of the verification", format!("none after {} steps", 2 * MAX_STEPS))
}

async fn a_host_that_is_gone(bed: &TestBed, asked: &str) -> Outcome {
    const CASE: &str = "what a host that is gone leaves of a verification";
    let before = bed.indices();
    let run = answer(CASE, "a run", bed.calls.begin_verification(asked).await)?;
    answer(CASE, "a step", bed.calls.advance_verification(&run).await)?;
    let traces = answer(CASE, "its traces", bed.calls.verification_traces().await)?;
    let Some(holder) = traces.holder.filter(|holder| holder.run_id == run.run_id) else {
        return mismatch(CASE, "whose the lock is", "another one, or none");
    };
    let left = bed.indices();
    let earlier = VerificationHolder { run_id: format!("not-{}", holder.run_id), ..holder.clone() };
    let cleared = answer(CASE, "false for another holder", bed.calls.clear_verification(Some(&earlier)).await)?;
    if cleared || bed.indices() != left {
        return mismatch(CASE, "that nothing is deleted for another holder", "a deletion");
    }
    let cleared = answer(CASE, "true for its holder", bed.calls.clear_verification(Some(&holder)).await)?;
    if cleared && bed.indices() == before {
        return Ok(());
    }
    mismatch(CASE, "that everything of it is deleted, and nothing else", list(bed.indices().into_keys()))
}
