//! What an answer must be like whatever a policy decides: the promises of the WIT package that types
//! cannot make.
//!
//! A policy may have rules of its own for ids, versions and indices. It may not answer for another backup
//! than the one asked for, nor call one complete that is not: an operator would trust it with a restore.

use std::collections::BTreeSet;

use backup_core as core;
use backup_core::retention::{self as rules, Safeguard};
use backup_core::verification::scratch::{SCRATCH, is_scratch};
use backup_core::{IdPattern, NAME_PREFIX};

use super::restores::{
    Finding, Restore, RestoreAction, RestoreOptions, RestorePlan, RestoreState, RestoredIndexState, RunIndex, Severity,
};
use super::retention::{Candidate, Expired};
use super::types::{
    Accepted, Backup, BackupId, BackupProgress, BackupState, BackupsPage, Deleted, ListQuery, PartProgress,
    SnapshotState, Step,
};
use super::verifications::{CheckOutcome, VerificationRun, VerificationStep, VerificationTraces};

/// How an answer breaks the contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    #[error("it was asked for the backup {} and answered for {found}", excerpt(asked))]
    AnotherBackup { asked: String, found: BackupId },
    #[error("it names the backup id {0}; allowed are 1 to {largest}", largest = i64::MAX)]
    ImpossibleId(BackupId),
    #[error(
        "it names the snapshot '{}' for the backup {backup}; its snapshots start with {NAME_PREFIX}{backup}_",
        excerpt(snapshot)
    )]
    AnotherSnapshot { backup: BackupId, snapshot: String },
    #[error(
        "it calls the backup {backup} complete, of which {successful} of {found} snapshots succeeded; a complete one has exactly two, both successful"
    )]
    NotComplete { backup: BackupId, found: usize, successful: usize },
    #[error("the backup {backup} is {} {} a failure reason", core::BackupState::from(*state), if *has_reason { "with" } else { "without" })]
    Reason {
        backup: BackupId,
        state: BackupState,
        /// Whether there is a reason.
        has_reason: bool,
    },
    #[error("it says that {permille} thousandths of the backup {backup} are done, which is {}", core::BackupState::from(*state))]
    Permille { backup: BackupId, state: BackupState, permille: u16 },
    #[error("it says that more of the snapshot '{}' is done than there is", excerpt(.0))]
    MoreThanAll(String),
    #[error("the backup {0} is in the list twice or out of order; the largest number comes first")]
    Order(BackupId),
    #[error("the backup {0} is in a list that it does not belong to by the query")]
    NotAskedFor(BackupId),
    #[error("the list has {found} backups; it was asked for {allowed}")]
    TooMany { found: usize, allowed: u32 },
    #[error("it says that the next page begins below {0}, which is not where this one ends")]
    NextPage(BackupId),
    #[error("it lets the backup {0} expire, which {1}")]
    MustStay(BackupId, Safeguard),
    #[error("the restore that it plans is not the one that was asked for, or has nothing to restore")]
    AnotherRestore,
    #[error("it plans to begin a restore although it has found what stops it: {}", excerpt(.0))]
    Stopped(String),
    #[error("it calls the finding {} overridden, which was not asked for", excerpt(.0))]
    NotOverridden(String),
    #[error("it plans to restore {}, of which its list of indices does not tell that", excerpt(.0))]
    NotListed(String),
    #[error("it calls the restore of the backup {0} complete, with {1} indices that are not restored")]
    NotRestored(BackupId, usize),
    #[error("the verification in its answer is not the one that was asked for")]
    AnotherVerification,
    #[error("it says that the verification of the backup {0} has ended, and a check is pending or there is none")]
    CheckPending(BackupId),
    #[error("it says that the verification of the backup {0} has passed a check that failed before")]
    CheckTakenBack(BackupId),
    #[error(
        "it calls the backup {0} verified, with {1} indices that were not looked at, or without a check that has passed"
    )]
    NotVerified(BackupId, usize),
    #[error("it calls the index '{}' a verification's; their names start with {SCRATCH}", excerpt(.0))]
    NotScratch(String),
    #[error("it lets the backup {0} expire twice")]
    ExpiresTwice(BackupId),
}

/// The answer to `create`.
pub(crate) fn accepted(asked: &str, accepted: &Accepted) -> Result<(), ContractError> {
    requested_id(asked, accepted.backup_id)?;
    snapshot(accepted.backup_id, &accepted.snapshot_name)
}

/// The answer to `get`.
pub(crate) fn requested_backup(asked: &str, found: &Backup) -> Result<(), ContractError> {
    requested_id(asked, found.backup_id)?;
    backup(found)
}

/// The answer to `advance`.
pub(crate) fn step(asked: BackupId, step: &Step) -> Result<(), ContractError> {
    let found = step.backup.backup_id;
    if found != asked {
        possible_id(found)?;
        return Err(ContractError::AnotherBackup { asked: asked.to_string(), found });
    }
    backup(&step.backup)
}

/// The answer to `progress`.
pub(crate) fn progress(asked: &str, progress: &BackupProgress) -> Result<(), ContractError> {
    let (id, state, permille) = (progress.backup_id, progress.state, progress.permille);
    requested_id(asked, id)?;
    progress.parts.iter().try_for_each(|part| part_progress(id, part))?;
    complete_parts(id, state, progress.parts.iter().map(|part| (part.snapshot_name.as_str(), part.state)))?;
    let is_possible = match state {
        BackupState::Complete => permille == 1000,
        BackupState::InProgress => permille < 1000,
        BackupState::Failed | BackupState::Incompatible | BackupState::Incomplete => permille <= 1000,
    };
    if is_possible { Ok(()) } else { Err(ContractError::Permille { backup: id, state, permille }) }
}

fn part_progress(backup: BackupId, part: &PartProgress) -> Result<(), ContractError> {
    snapshot(backup, &part.snapshot_name)?;
    let bytes = part.bytes.is_none_or(|bytes| bytes.done <= bytes.total);
    let shards = part
        .shards
        .is_none_or(|shards| shards.done.checked_add(shards.failed).is_some_and(|ended| ended <= shards.total));
    if bytes && shards { Ok(()) } else { Err(ContractError::MoreThanAll(part.snapshot_name.clone())) }
}

/// The answer to `list`.
pub(crate) fn page(query: &ListQuery, page: &BackupsPage) -> Result<(), ContractError> {
    page.backups.iter().try_for_each(backup)?;
    let in_order = page.backups.iter().is_sorted_by(|one, next| one.backup_id > next.backup_id);
    if !in_order {
        return Err(ContractError::Order(first_out_of_order(&page.backups)));
    }
    let is_asked_for = matcher(query);
    if let Some(other) = page.backups.iter().find(|backup| !is_asked_for(backup.backup_id)) {
        return Err(ContractError::NotAskedFor(other.backup_id));
    }
    if let Some(allowed) = query.limit.filter(|&allowed| page.backups.len() as u64 > allowed.into()) {
        return Err(ContractError::TooMany { found: page.backups.len(), allowed });
    }
    // Whoever asks for page after page comes to an end.
    let is_further = |next| page.backups.last().is_none_or(|last| next <= last.backup_id) && is_asked_for(next);
    match page.next.filter(|&next| query.limit.is_none() || !is_further(next)) {
        Some(next) => Err(ContractError::NextPage(next)),
        None => Ok(()),
    }
}

/// Tells whether a backup may be in a list.
fn matcher(query: &ListQuery) -> impl Fn(BackupId) -> bool {
    // Only a policy knows what to make of another pattern.
    let pattern = IdPattern::parse(&query.pattern).unwrap_or(IdPattern::All);
    let before = query.before.unwrap_or(BackupId::MAX);
    move |id| id < before && core::BackupId::new(id).is_some_and(|id| pattern.matches(id))
}

/// The answer to `delete`.
pub(crate) fn deleted(asked: &str, deleted: &Deleted) -> Result<(), ContractError> {
    // A text that is no number has been refused by any policy that answers at all.
    let Some(id) = number(asked) else { return Ok(()) };
    deleted.snapshots.iter().try_for_each(|name| snapshot(id, name))
}

/// The answer to `expire`.
pub(crate) fn expired(candidates: &[Candidate], expired: &[Expired]) -> Result<(), ContractError> {
    let candidates: Vec<rules::Candidate> = candidates.iter().filter_map(Candidate::read).collect();
    let mut seen = BTreeSet::new();
    expired.iter().try_for_each(|&Expired { backup_id, .. }| {
        let id = core::BackupId::new(backup_id).ok_or(ContractError::ImpossibleId(backup_id))?;
        rules::check(&candidates, &[id]).map_err(|(_, safeguard)| ContractError::MustStay(backup_id, safeguard))?;
        if seen.insert(id) { Ok(()) } else { Err(ContractError::ExpiresTwice(backup_id)) }
    })
}

/// The answer to `plan` of a restore.
pub(crate) fn plan(asked: &str, options: &RestoreOptions, plan: &RestorePlan) -> Result<(), ContractError> {
    requested_id(asked, plan.backup_id)?;
    plan.snapshots.iter().try_for_each(|name| snapshot(plan.backup_id, name))?;
    let is_known = |finding: &&Finding| !finding.overridden || options.overridden.contains(&finding.code);
    if let Some(finding) = plan.findings.iter().find(|finding| !is_known(finding)) {
        return Err(ContractError::NotOverridden(finding.code.clone()));
    }
    let Some(run) = &plan.run else { return Ok(()) };
    let is_asked_for = run.backup_id == plan.backup_id && run.rename_prefix == options.rename_prefix;
    if !is_asked_for || run.indices.is_empty() {
        return Err(ContractError::AnotherRestore);
    }
    if let Some(finding) = plan.findings.iter().find(|finding| finding.stops()) {
        return Err(ContractError::Stopped(finding.code.clone()));
    }
    // An operator has confirmed the list.
    let is_listed = |index: &&RunIndex| {
        plan.indices.iter().any(|listed| {
            let may_replace = listed.action == RestoreAction::Replaced || index.replaces.is_none();
            let is_same =
                listed.index == index.index && listed.target == index.target && listed.part == Some(index.part);
            is_same && listed.action != RestoreAction::LeftAlone && may_replace
        })
    };
    match run.indices.iter().find(|index| !is_listed(index)) {
        Some(index) => Err(ContractError::NotListed(index.target.clone())),
        None => Ok(()),
    }
}

impl Finding {
    /// Whether the restore must not begin.
    pub(crate) fn stops(&self) -> bool {
        match self.severity {
            Severity::Warning => false,
            Severity::Blocking => !self.overridden,
            Severity::Final => true,
        }
    }
}

/// The answer to `get` of a restore.
pub(crate) fn requested_restore(asked: &str, found: &Restore) -> Result<(), ContractError> {
    requested_id(asked, found.backup_id)?;
    restore(found.backup_id, found)
}

/// The restore in the answer to `advance`.
pub(crate) fn restore(asked: BackupId, restore: &Restore) -> Result<(), ContractError> {
    let found = restore.backup_id;
    if found != asked {
        return Err(ContractError::AnotherBackup { asked: asked.to_string(), found });
    }
    if restore.bytes.is_some_and(|bytes| bytes.done > bytes.total) {
        return Err(ContractError::MoreThanAll(format!("restore of {found}")));
    }
    let others = restore.indices.iter().filter(|index| index.state != RestoredIndexState::Restored).count();
    match restore.state {
        RestoreState::Complete if others > 0 || restore.indices.is_empty() => {
            Err(ContractError::NotRestored(found, others))
        }
        _ => Ok(()),
    }
}

/// The answer to `begin` of a verification.
pub(crate) fn begun_verification(asked: &str, run_id: &str, run: &VerificationRun) -> Result<(), ContractError> {
    requested_id(asked, run.backup_id)?;
    if run.run_id == run_id && !run.indices.is_empty() && !run.checks.is_empty() {
        Ok(())
    } else {
        Err(ContractError::AnotherVerification)
    }
}

/// The answer to `advance` of a verification.
pub(crate) fn verification_step(asked: &VerificationRun, step: &VerificationStep) -> Result<(), ContractError> {
    let (id, run) = (asked.backup_id, &step.run);
    let is_same = run.backup_id == id && run.run_id == asked.run_id && run.snapshots == asked.snapshots;
    if !is_same || run.beat < asked.beat || !has_same_contents(asked, run) {
        return Err(ContractError::AnotherVerification);
    }
    if step.bytes.is_some_and(|bytes| bytes.done > bytes.total) {
        return Err(ContractError::MoreThanAll(format!("verification of {id}")));
    }
    // An operator would trust it with a restore.
    let mut pairs = asked.checks.iter().zip(&run.checks);
    if pairs.any(|(before, now)| before.outcome == CheckOutcome::Failed && now.outcome != CheckOutcome::Failed) {
        return Err(ContractError::CheckTakenBack(id));
    }
    let is_pending = run.checks.is_empty() || run.checks.iter().any(|check| check.outcome == CheckOutcome::Pending);
    match step.again_in {
        None if is_pending => Err(ContractError::CheckPending(id)),
        None => verified(run),
        Some(_) => Ok(()),
    }
}

/// The same checks and indices; what was looked at was looked at.
fn has_same_contents(asked: &VerificationRun, run: &VerificationRun) -> bool {
    let checks = asked.checks.iter().map(|check| &check.name).eq(run.checks.iter().map(|check| &check.name));
    let mut pairs = asked.indices.iter().zip(&run.indices);
    checks
        && asked.indices.len() == run.indices.len()
        && pairs.all(|(before, now)| {
            (before.part, &before.index) == (now.part, &now.index) && (now.checked || !before.checked)
        })
}

/// One that has ended without a failed check.
fn verified(run: &VerificationRun) -> Result<(), ContractError> {
    let has = |outcome| run.checks.iter().any(|check| check.outcome == outcome);
    let unchecked = run.indices.iter().filter(|index| !index.checked).count();
    if has(CheckOutcome::Failed) || (unchecked == 0 && has(CheckOutcome::Passed)) {
        return Ok(());
    }
    Err(ContractError::NotVerified(run.backup_id, unchecked))
}

/// The answer to `traces` of verifications.
pub(crate) fn verification_traces(traces: &VerificationTraces) -> Result<(), ContractError> {
    traces.holder.as_ref().map_or(Ok(()), |holder| possible_id(holder.backup_id))?;
    match traces.indices.iter().find(|name| !is_scratch(name)) {
        Some(other) => Err(ContractError::NotScratch(other.clone())),
        None => Ok(()),
    }
}

fn requested_id(asked: &str, found: BackupId) -> Result<(), ContractError> {
    possible_id(found)?;
    // Leading zeros and the like are a policy's to allow, another number is not.
    if number(asked) == Some(found) {
        Ok(())
    } else {
        Err(ContractError::AnotherBackup { asked: asked.to_owned(), found })
    }
}

fn possible_id(id: BackupId) -> Result<(), ContractError> {
    core::BackupId::new(id).map(drop).ok_or(ContractError::ImpossibleId(id))
}

fn number(id: &str) -> Option<BackupId> {
    id.trim().parse().ok()
}

fn backup(backup: &Backup) -> Result<(), ContractError> {
    let id = backup.backup_id;
    possible_id(id)?;
    backup.details.iter().try_for_each(|detail| snapshot(id, &detail.snapshot_name))?;
    let details = backup.details.iter();
    complete_parts(id, backup.state, details.map(|detail| (detail.snapshot_name.as_str(), detail.state)))?;
    let has_reason = backup.failure_reason.is_some();
    let needs_reason = !matches!(backup.state, BackupState::Complete | BackupState::InProgress);
    if has_reason == needs_reason {
        Ok(())
    } else {
        Err(ContractError::Reason { backup: id, state: backup.state, has_reason })
    }
}

/// A complete backup is two successful snapshots.
fn complete_parts<'a>(
    backup: BackupId,
    state: BackupState,
    snapshots: impl Iterator<Item = (&'a str, SnapshotState)> + Clone,
) -> Result<(), ContractError> {
    if state != BackupState::Complete {
        return Ok(());
    }
    let successful = snapshots.clone().filter(|(_, state)| *state == SnapshotState::Success).count();
    let found = snapshots.clone().map(|(name, _)| name).collect::<BTreeSet<_>>().len();
    if found == 2 && successful == 2 && snapshots.count() == 2 {
        return Ok(());
    }
    Err(ContractError::NotComplete { backup, found, successful })
}

fn snapshot(backup: BackupId, name: &str) -> Result<(), ContractError> {
    let id = name.strip_prefix(NAME_PREFIX).and_then(|rest| rest.split_once('_')).map(|(id, _)| id);
    if id.and_then(|id| core::BackupId::parse(id).ok()).is_some_and(|id| id.get() == backup) {
        return Ok(());
    }
    Err(ContractError::AnotherSnapshot { backup, snapshot: name.to_owned() })
}

fn first_out_of_order(backups: &[Backup]) -> BackupId {
    let pairs = backups.iter().zip(backups.iter().skip(1));
    pairs.map(|(one, next)| (one.backup_id, next.backup_id)).find(|(one, next)| one <= next).map_or(0, |(_, id)| id)
}

/// What a hostile policy says must not fill the log.
fn excerpt(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;
