use backup_core::SnapshotState;

use super::{Outcome, TestBed, answer, list, mismatch, told, verification};
use crate::elasticsearch::Oversteps;
use crate::policy::Admitted;
use crate::sandbox::CallError;
use crate::sandbox::restores::{Restore, RestoreOptions, RestoreState};
use crate::sandbox::retention::{Candidate, Rules};
use crate::sandbox::types::{Accepted, Backup, BackupId, BackupState, BackupsPage, Error, ListQuery, RunNote, Step};

/// No policy may accept these: they are not positive 63-bit integers.
const INVALID_IDS: [&str; 7] = ["", "abc", "0", "-1", "1.5", "9223372036854775808", "*"];
/// A policy may be strict, but must accept one of these: a small number, a date, a time.
const CANDIDATE_IDS: [&str; 5] = ["123456", "20261123", "202611231605", "1795449951", "1795449951000"];
/// The code of a policy that does not restore.
const RESTORE_NOT_SUPPORTED: &str = "restoreNotSupported";
/// A run without faults takes fewer.
pub(super) const MAX_STEPS: usize = 20;

/// Each case has a test bed of its own.
pub(super) async fn all(admitted: &Admitted, oversteps: &Oversteps) -> Outcome {
    let bed = |with_repository| TestBed::new(admitted, with_repository, oversteps);
    unconfigured(&bed(false)?).await?;
    empty(&bed(true)?).await?;
    invalid_ids(&bed(true)?).await?;
    a_backup(&bed(true)?).await?;
    anothers_backups(&bed(true)?).await?;
    a_failure(&bed(true)?).await?;
    a_dropped_part(&bed(true)?).await
}

async fn unconfigured(bed: &TestBed) -> Outcome {
    const CASE: &str = "a list without a configured repository";
    match bed.calls.list(&ListQuery::default(), Vec::new()).await {
        Err(CallError::Refused(Error::Configuration(_))) => Ok(()),
        other => mismatch(CASE, "the error 'configuration'", told(&other)),
    }
}

async fn empty(bed: &TestBed) -> Outcome {
    const CASE: &str = "an empty repository";
    let page = answer(CASE, "an empty list", bed.calls.list(&ListQuery::default(), Vec::new()).await)?;
    if !page.backups.is_empty() {
        return mismatch(CASE, "an empty list", ids(&page));
    }
    for id in CANDIDATE_IDS {
        match bed.calls.get(id, Vec::new()).await {
            // It may be too strict for this id, but not for all: that is seen when one is made.
            Err(CallError::Refused(Error::NotFound(_) | Error::InvalidRequest(_))) => {}
            other => return mismatch(CASE, "the error 'not-found' for every id", told(&other)),
        }
    }
    Ok(())
}

async fn invalid_ids(bed: &TestBed) -> Outcome {
    const CASE: &str = "texts that are no ids";
    for id in INVALID_IDS {
        match bed.calls.create(id, Vec::new()).await {
            Err(CallError::Refused(Error::InvalidRequest(_))) => {}
            other => {
                return mismatch(CASE, "the error 'invalid-request' for each", format!("{} for '{id}'", told(&other)));
            }
        }
    }
    if bed.snapshots().is_empty() { Ok(()) } else { mismatch(CASE, "that nothing is written", "a snapshot") }
}

async fn a_backup(bed: &TestBed) -> Outcome {
    const CASE: &str = "a backup from its beginning to its end";
    let id = created(CASE, bed).await?;
    expect_state(CASE, &get(CASE, bed, id).await?, BackupState::InProgress)?;
    expect_progress(CASE, bed, id, BackupState::InProgress).await?;
    a_second_time(bed, id).await?;
    expect_parts(CASE, bed, 1)?;
    bed.finish(SnapshotState::Success);
    advance_to_the_end(CASE, bed, id).await?;
    expect_parts(CASE, bed, 2)?;
    expect_state(CASE, &get(CASE, bed, id).await?, BackupState::Complete)?;
    expect_progress(CASE, bed, id, BackupState::Complete).await?;
    let page = answer(CASE, "a list of it", bed.calls.list(&ListQuery::default(), Vec::new()).await)?;
    if !page.backups.iter().map(|backup| backup.backup_id).eq([id]) {
        return mismatch(CASE, "a list of it alone", ids(&page));
    }
    a_page(bed, id).await?;
    verification::of_a_good_backup(bed, id).await?;
    a_restore(bed, id).await?;
    the_only_one(bed, page.backups).await?;
    a_deletion(bed, id).await
}

/// What it takes for a restore is a policy's affair, but one that is complete brings everything back and touches nothing else.
async fn a_restore(bed: &TestBed, id: BackupId) -> Outcome {
    const CASE: &str = "a restore after indices have been changed and deleted";
    let asked = id.to_string();
    let options = RestoreOptions { rename_prefix: None, overridden: Vec::new() };
    bed.change();
    let planned = match bed.calls.plan_restore(&asked, &options, None).await {
        Err(CallError::Refused(Error::InvalidRequest(problem))) if problem.code == RESTORE_NOT_SUPPORTED => {
            return Ok(());
        }
        planned => planned,
    };
    let mut plan = answer(CASE, "a plan, or the code restoreNotSupported", planned)?;
    if bed.has_anything_restored() {
        return mismatch(CASE, "a plan that writes nothing", "a write");
    }
    if plan.again_in.is_some() {
        let writes = std::mem::take(&mut plan.writes);
        plan = answer(CASE, "a plan", bed.calls.plan_restore(&asked, &options, Some(&writes)).await)?;
    }
    let Some(run) = plan.run else {
        let findings = plan.findings.iter().map(|finding| format!("{}: {}", finding.code, finding.message));
        return mismatch(CASE, "a restore that can begin", list(findings));
    };
    for _ in 0..MAX_STEPS {
        let step = answer(CASE, "a step", bed.calls.advance_restore(&run).await)?;
        if step.again_in.is_some() {
            continue;
        }
        if step.restore.state != RestoreState::Complete || !bed.is_restored() {
            return mismatch(CASE, "that everything is as it was", stands(&step.restore));
        }
        let told = answer(CASE, "where it stands", bed.calls.get_restore(&asked, None).await)?;
        if told.state == RestoreState::Complete {
            return Ok(());
        }
        return mismatch(CASE, "that it is complete", stands(&told));
    }
    mismatch(CASE, "an end of the restore", format!("none after {MAX_STEPS} steps"))
}

/// Which backups expire is a policy's affair, but never the only one that is complete; the contract sees to that.
async fn the_only_one(bed: &TestBed, backups: Vec<Backup>) -> Outcome {
    const CASE: &str = "the expiry of the only backup";
    let candidates: Vec<Candidate> = backups.into_iter().map(|backup| Candidate { backup, in_use: false }).collect();
    let rules = Rules { expire_after: Some(1), min_count: None, max_count: Some(1) };
    answer(CASE, "that nothing expires", bed.calls.expire(&rules, &candidates).await).map(drop)
}

async fn a_page(bed: &TestBed, id: BackupId) -> Outcome {
    const CASE: &str = "a page of a list without metadata";
    let query = ListQuery { pattern: id.to_string(), limit: Some(1), verbose: false, before: None };
    let page = answer(CASE, "the only backup", bed.calls.list(&query, Vec::new()).await)?;
    match page.backups.as_slice() {
        [backup] if page.next.is_none() => expect_state(CASE, backup, BackupState::Complete)?,
        _ => return mismatch(CASE, "the only backup", ids(&page)),
    }
    let query = ListQuery { before: Some(id), ..query };
    let page = answer(CASE, "no backup below the only one", bed.calls.list(&query, Vec::new()).await)?;
    if page.backups.is_empty() && page.next.is_none() {
        Ok(())
    } else {
        mismatch(CASE, "no backup below the only one", ids(&page))
    }
}

async fn a_second_time(bed: &TestBed, id: BackupId) -> Outcome {
    match bed.calls.create(&id.to_string(), Vec::new()).await {
        Err(CallError::Refused(Error::Conflict(_))) => Ok(()),
        other => mismatch("an id that is taken", "the error 'conflict'", told(&other)),
    }
}

async fn a_deletion(bed: &TestBed, id: BackupId) -> Outcome {
    const CASE: &str = "a deletion";
    let outcome = bed.calls.delete(&id.to_string(), None).await;
    answer(CASE, "that it is submitted", outcome)?;
    if !bed.snapshots().is_empty() {
        return mismatch(CASE, "no snapshots", list(bed.names()));
    }
    match bed.calls.get(&id.to_string(), Vec::new()).await {
        Err(CallError::Refused(Error::NotFound(_))) => Ok(()),
        other => mismatch(CASE, "the error 'not-found' afterwards", told(&other)),
    }
}

/// What a policy answers is its own affair, what becomes of another installation's snapshots is not.
async fn anothers_backups(bed: &TestBed) -> Outcome {
    const CASE: &str = "backups of another installation in the repository";
    for (n, id) in CANDIDATE_IDS.into_iter().enumerate() {
        // The first one could be resumed.
        bed.store_anothers(id, if n == 0 { 1 } else { 2 });
    }
    let before = bed.names();
    let page = answer(CASE, "an empty list", bed.calls.list(&ListQuery::default(), Vec::new()).await)?;
    if !page.backups.is_empty() {
        return mismatch(CASE, "an empty list", ids(&page));
    }
    for id in CANDIDATE_IDS {
        if let Ok((accepted, _)) = bed.calls.create(id, Vec::new()).await {
            return mismatch(CASE, "that their ids are taken", format!("that {} is accepted", accepted.backup_id));
        }
        if let Ok(id) = id.parse() {
            let _ = bed.calls.advance(id, Vec::new()).await;
        }
        let _ = bed.calls.delete(id, None).await;
    }
    let after = bed.names();
    if after == before {
        return Ok(());
    }
    mismatch(
        CASE,
        "that nothing of them is deleted, and nothing added",
        format!("{} after {}", list(after), list(before)),
    )
}

/// Part 2 must never be newer than a part 1 that can be restored.
async fn a_failure(bed: &TestBed) -> Outcome {
    const CASE: &str = "a backup of which part 1 fails";
    let id = created(CASE, bed).await?;
    bed.finish(SnapshotState::Partial);
    advance_to_the_end(CASE, bed, id).await?;
    expect_parts(CASE, bed, 1)?;
    expect_state(CASE, &get(CASE, bed, id).await?, BackupState::Failed)
}

/// A policy may tell it as failed or as not found, but must not go on.
async fn a_dropped_part(bed: &TestBed) -> Outcome {
    const CASE: &str = "a backup whose part 1 is gone while it is written";
    let id = created(CASE, bed).await?;
    answer(CASE, "that a deletion is submitted", bed.calls.delete(&id.to_string(), None).await)?;
    let note = RunNote { backup_id: id, run_id: "self-test".to_owned(), ended: false, refusal: None, awaited: Some(1) };
    match bed.calls.advance(id, vec![note]).await {
        Err(CallError::Refused(Error::NotFound(_))) => {}
        Ok(Step { again_in: None, backup, .. }) if backup.state == BackupState::Failed => {}
        other => return mismatch(CASE, "the error 'not-found', or the end of a run that has FAILED", told(&other)),
    }
    if bed.snapshots().is_empty() { Ok(()) } else { mismatch(CASE, "that nothing is written", "a snapshot") }
}

async fn created(case: &'static str, bed: &TestBed) -> Outcome<BackupId> {
    const EXPECTED: &str = "that one of some common ids is accepted";
    let mut refusals = Vec::new();
    for id in CANDIDATE_IDS {
        match bed.calls.create(id, Vec::new()).await {
            Ok((Accepted { backup_id, .. }, _)) => return Ok(backup_id),
            Err(CallError::Refused(Error::InvalidRequest(problem))) => refusals.push(problem.message),
            Err(error) => return mismatch(case, EXPECTED, format!("the error: {error}")),
        }
    }
    mismatch(case, EXPECTED, refusals.join("; "))
}

async fn get(case: &'static str, bed: &TestBed, id: BackupId) -> Outcome<Backup> {
    answer(case, "the backup", bed.calls.get(&id.to_string(), Vec::new()).await)
}

/// That the figures fit the state is checked with every answer.
async fn expect_progress(case: &'static str, bed: &TestBed, id: BackupId, expected: BackupState) -> Outcome {
    let progress = answer(case, "how far it is", bed.calls.progress(&id.to_string(), Vec::new()).await)?;
    if progress.state == expected {
        return Ok(());
    }
    mismatch(case, "the same state in its progress", word(progress.state))
}

async fn advance_to_the_end(case: &'static str, bed: &TestBed, id: BackupId) -> Outcome {
    for _ in 0..MAX_STEPS {
        let step = answer(case, "a step", bed.calls.advance(id, Vec::new()).await)?;
        if step.again_in.is_none() {
            return Ok(());
        }
        bed.finish(SnapshotState::Success);
    }
    mismatch(case, "an end of the run", format!("none after {MAX_STEPS} steps"))
}

fn expect_parts(case: &'static str, bed: &TestBed, expected: usize) -> Outcome {
    let found = bed.snapshots();
    let is_right = match found.as_slice() {
        [one] => expected == 1 && TestBed::is_import(one),
        [one, two] => expected == 2 && TestBed::is_import(one) && TestBed::is_the_rest(two),
        _ => false,
    };
    let expectation = "first the import indices alone, and all others once those are safe";
    if is_right {
        Ok(())
    } else {
        mismatch(case, expectation, list(found.iter().map(|indices| format!("a snapshot of {}", list(indices)))))
    }
}

fn expect_state(case: &'static str, found: &Backup, expected: BackupState) -> Outcome {
    if found.state == expected { Ok(()) } else { mismatch(case, word(expected), word(found.state)) }
}

fn word(state: BackupState) -> &'static str {
    backup_core::BackupState::from(state).as_str()
}

fn ids(page: &BackupsPage) -> String {
    list(page.backups.iter().map(|backup| format!("backup {}", backup.backup_id)))
}

fn stands(restore: &Restore) -> String {
    let state = match restore.state {
        RestoreState::Complete => "complete, and something else than before",
        RestoreState::Failed => "failed",
        _ => "not complete",
    };
    list([state].into_iter().chain(restore.failure_reason.as_deref()))
}
