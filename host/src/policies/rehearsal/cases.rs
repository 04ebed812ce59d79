use backup_core::SnapshotState;

use super::{Outcome, Stage, answer, mismatch, told};
use crate::policies::Admitted;
use crate::policy::types::{Accepted, Backup, BackupId, BackupState, Error};
use crate::policy::{CallError, Oversteps};

/// What no policy takes for an id: it could not be told as a number.
const NO_IDS: [&str; 7] = ["", "abc", "0", "-1", "1.5", "9223372036854775808", "*"];
/// A policy may be strict, but one of these must be good enough for it: a small number, a date, a time.
const IDS: [&str; 5] = ["123456", "20261123", "202611231605", "1795449951", "1795449951000"];
/// A run takes fewer steps when nothing goes wrong.
const STEPS: usize = 20;

/// All cases, each with a stage of its own.
pub(super) async fn all(admitted: &Admitted, oversteps: &Oversteps) -> Outcome {
    let stage = |with_repository| Stage::new(admitted, with_repository, oversteps);
    unconfigured(&stage(false)?).await?;
    empty(&stage(true)?).await?;
    invalid_ids(&stage(true)?).await?;
    a_backup(&stage(true)?).await?;
    a_failure(&stage(true)?).await
}

async fn unconfigured(stage: &Stage) -> Outcome {
    const CASE: &str = "a list without a configured repository";
    match stage.policy.list(Vec::new()).await {
        Err(CallError::Refused(Error::Configuration(_))) => Ok(()),
        other => mismatch(CASE, "the error 'configuration'", told(&other)),
    }
}

async fn empty(stage: &Stage) -> Outcome {
    const CASE: &str = "an empty repository";
    let page = answer(CASE, "an empty list", stage.policy.list(Vec::new()).await)?;
    if !page.backups.is_empty() {
        return mismatch(CASE, "an empty list", format!("{:?}", page.backups));
    }
    for id in IDS {
        match stage.policy.get(id, Vec::new()).await {
            // It may be too strict for this id, but not for all: that is seen when one is made.
            Err(CallError::Refused(Error::NotFound(_) | Error::InvalidRequest(_))) => {}
            other => return mismatch(CASE, "the error 'not-found' for every id", told(&other)),
        }
    }
    Ok(())
}

async fn invalid_ids(stage: &Stage) -> Outcome {
    const CASE: &str = "texts that are no ids";
    for id in NO_IDS {
        match stage.policy.create(id, Vec::new()).await {
            Err(CallError::Refused(Error::InvalidRequest(_))) => {}
            other => {
                return mismatch(CASE, "the error 'invalid-request' for each", format!("{} for '{id}'", told(&other)));
            }
        }
    }
    if stage.snapshots().is_empty() { Ok(()) } else { mismatch(CASE, "that nothing is written", "a snapshot") }
}

async fn a_backup(stage: &Stage) -> Outcome {
    const CASE: &str = "a backup from its beginning to its end";
    let id = created(CASE, stage).await?;
    expect_state(CASE, &get(CASE, stage, id).await?, BackupState::InProgress)?;
    a_second_time(stage, id).await?;
    expect_parts(CASE, stage, 1)?;
    stage.finish(SnapshotState::Success);
    advance_to_the_end(CASE, stage, id).await?;
    expect_parts(CASE, stage, 2)?;
    expect_state(CASE, &get(CASE, stage, id).await?, BackupState::Complete)?;
    let page = answer(CASE, "a list of it", stage.policy.list(Vec::new()).await)?;
    if !page.backups.iter().map(|backup| backup.backup_id).eq([id]) {
        return mismatch(CASE, "a list of it alone", format!("{:?}", page.backups));
    }
    a_deletion(stage, id).await
}

async fn a_second_time(stage: &Stage, id: BackupId) -> Outcome {
    match stage.policy.create(&id.to_string(), Vec::new()).await {
        Err(CallError::Refused(Error::Conflict(_))) => Ok(()),
        other => mismatch("an id that is taken", "the error 'conflict'", told(&other)),
    }
}

async fn a_deletion(stage: &Stage, id: BackupId) -> Outcome {
    const CASE: &str = "a deletion";
    let outcome = stage.policy.delete(&id.to_string(), None).await;
    answer(CASE, "that it is submitted", outcome)?;
    if !stage.snapshots().is_empty() {
        return mismatch(CASE, "no snapshots", format!("{:?}", stage.snapshots()));
    }
    match stage.policy.get(&id.to_string(), Vec::new()).await {
        Err(CallError::Refused(Error::NotFound(_))) => Ok(()),
        other => mismatch(CASE, "the error 'not-found' afterwards", told(&other)),
    }
}

/// Part 2 must never be newer than a part 1 that can be restored.
async fn a_failure(stage: &Stage) -> Outcome {
    const CASE: &str = "a backup of which part 1 fails";
    let id = created(CASE, stage).await?;
    stage.finish(SnapshotState::Partial);
    advance_to_the_end(CASE, stage, id).await?;
    expect_parts(CASE, stage, 1)?;
    expect_state(CASE, &get(CASE, stage, id).await?, BackupState::Failed)
}

async fn created(case: &'static str, stage: &Stage) -> Outcome<BackupId> {
    const EXPECTED: &str = "that one of some common ids is accepted";
    let mut refusals = Vec::new();
    for id in IDS {
        match stage.policy.create(id, Vec::new()).await {
            Ok((Accepted { backup_id, .. }, _)) => return Ok(backup_id),
            Err(CallError::Refused(Error::InvalidRequest(problem))) => refusals.push(problem.message),
            Err(error) => return mismatch(case, EXPECTED, format!("the error: {error}")),
        }
    }
    mismatch(case, EXPECTED, refusals.join("; "))
}

async fn get(case: &'static str, stage: &Stage, id: BackupId) -> Outcome<Backup> {
    answer(case, "the backup", stage.policy.get(&id.to_string(), Vec::new()).await)
}

async fn advance_to_the_end(case: &'static str, stage: &Stage, id: BackupId) -> Outcome {
    for _ in 0..STEPS {
        let progress = answer(case, "a step", stage.policy.advance(id, Vec::new()).await)?;
        if progress.again_in.is_none() {
            return Ok(());
        }
        stage.finish(SnapshotState::Success);
    }
    mismatch(case, "an end of the run", format!("none after {STEPS} steps"))
}

fn expect_parts(case: &'static str, stage: &Stage, expected: usize) -> Outcome {
    let found = stage.snapshots();
    let is_right = match found.as_slice() {
        [one] => expected == 1 && Stage::is_import(one),
        [one, two] => expected == 2 && Stage::is_import(one) && Stage::is_the_rest(two),
        _ => false,
    };
    let expectation = "first the import indices alone, and all others once those are safe";
    if is_right { Ok(()) } else { mismatch(case, expectation, format!("snapshots of {found:?}")) }
}

fn expect_state(case: &'static str, found: &Backup, expected: BackupState) -> Outcome {
    let expectation = match expected {
        BackupState::Complete => "the state complete",
        BackupState::InProgress => "the state in-progress",
        BackupState::Failed => "the state failed",
        BackupState::Incompatible => "the state incompatible",
        BackupState::Incomplete => "the state incomplete",
    };
    if found.state == expected { Ok(()) } else { mismatch(case, expectation, format!("{:?}", found.state)) }
}
