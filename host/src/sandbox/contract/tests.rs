mod verifications;

use super::super::restores::{PlannedIndex, RestoreRun};
use super::super::types::{ByteCount, ShardCount, SnapshotDetail};
use super::*;

fn part(id: BackupId, number: u8) -> SnapshotDetail {
    SnapshotDetail {
        snapshot_name: format!("camunda_optimize_{id}_8.8.0_part_{number}_of_2"),
        state: SnapshotState::Success,
        start_time: None,
        failures: Vec::new(),
    }
}

fn complete(id: BackupId) -> Backup {
    Backup {
        backup_id: id,
        state: BackupState::Complete,
        failure_reason: None,
        details: vec![part(id, 1), part(id, 2)],
        run_id: None,
    }
}

#[test]
fn takes_what_the_contract_promises() {
    assert_eq!(requested_backup("7", &complete(7)), Ok(()));
    assert_eq!(requested_backup("007", &complete(7)), Ok(()), "an id rule of the policy's own");
    let everything = ListQuery::default();
    assert_eq!(
        page(&everything, &BackupsPage { backups: vec![complete(9), complete(7)], foreign: 3, next: None }),
        Ok(())
    );
    let query = ListQuery { pattern: "7*".to_owned(), before: Some(79), limit: Some(2), verbose: false };
    let backups = vec![complete(78), complete(7)];
    for next in [None, Some(7)] {
        assert_eq!(page(&query, &BackupsPage { backups: backups.clone(), foreign: 0, next }), Ok(()));
    }
    let deleted_meanwhile = BackupsPage { backups: Vec::new(), foreign: 0, next: Some(71) };
    assert_eq!(page(&query, &deleted_meanwhile), Ok(()));
    let name = "camunda_optimize_7_8.8.0_part_1_of_2".to_owned();
    assert_eq!(accepted("7", &Accepted { backup_id: 7, snapshot_name: name }), Ok(()));
}

/// The engine can drop a part that it has accepted: then there is nothing to show.
#[test]
fn takes_a_failed_backup_without_snapshots() {
    let reason = Some("dropped".to_owned());
    let dropped = Backup { state: BackupState::Failed, failure_reason: reason, details: Vec::new(), ..complete(7) };
    assert_eq!(requested_backup("7", &dropped), Ok(()));
    let step_with =
        |backup: &Backup| step(7, &Step { backup: backup.clone(), again_in: None, refusal: None, accepted: false });
    assert_eq!(step_with(&dropped), Ok(()));
    assert!(step_with(&Backup { failure_reason: None, ..dropped }).is_err(), "without a reason");
}

#[test]
fn refuses_an_answer_for_another_backup() {
    let another = ContractError::AnotherBackup { asked: "7".to_owned(), found: 8 };
    assert_eq!(requested_backup("7", &complete(8)), Err(another.clone()));
    assert_eq!(step(7, &Step { backup: complete(8), again_in: None, refusal: None, accepted: false }), Err(another));
    let name = "camunda_optimize_70_8.8.0_part_1_of_2".to_owned();
    let expected = ContractError::AnotherSnapshot { backup: 7, snapshot: name.clone() };
    assert_eq!(accepted("7", &Accepted { backup_id: 7, snapshot_name: name.clone() }), Err(expected.clone()));
    let answer = Deleted { snapshots: vec![name], runs: Vec::new(), pending: false };
    assert_eq!(deleted("7", &answer), Err(expected));
    assert_eq!(requested_backup("0", &complete(0)), Err(ContractError::ImpossibleId(0)));
    assert_eq!(
        requested_backup(&u64::MAX.to_string(), &complete(u64::MAX)),
        Err(ContractError::ImpossibleId(u64::MAX))
    );
}

#[test]
fn refuses_a_complete_backup_that_is_not() {
    let with = |details| requested_backup("7", &Backup { details, ..complete(7) });
    let not_complete = |found, successful| Err(ContractError::NotComplete { backup: 7, found, successful });
    assert_eq!(with(vec![part(7, 1)]), not_complete(1, 1));
    assert_eq!(with(vec![part(7, 1), part(7, 1)]), not_complete(1, 2), "one snapshot twice");
    let partial = SnapshotDetail { state: SnapshotState::Partial, ..part(7, 2) };
    assert_eq!(with(vec![part(7, 1), partial]), not_complete(2, 1));
}

fn progress_of(state: BackupState, permille: u16, parts: Vec<PartProgress>) -> BackupProgress {
    BackupProgress { backup_id: 7, state, permille, start_time: None, elapsed: None, remaining: None, parts }
}

fn part_of(number: u8, bytes: (u64, u64), shards: (u32, u32, u32)) -> PartProgress {
    PartProgress {
        part: number,
        snapshot_name: part(7, number).snapshot_name,
        state: SnapshotState::Success,
        bytes: Some(ByteCount { total: bytes.0, done: bytes.1 }),
        shards: Some(ShardCount { total: shards.0, done: shards.1, failed: shards.2 }),
    }
}

#[test]
fn a_backup_is_done_when_it_is_complete_and_not_before() {
    let parts = || vec![part_of(1, (5, 5), (2, 2, 0)), part_of(2, (0, 0), (3, 1, 2))];
    let check = |state, permille, parts| progress("7", &progress_of(state, permille, parts));
    assert_eq!(check(BackupState::Complete, 1000, parts()), Ok(()));
    assert_eq!(check(BackupState::InProgress, 999, Vec::new()), Ok(()));
    assert_eq!(check(BackupState::Incompatible, 1000, parts()), Ok(()));
    for (state, permille) in
        [(BackupState::Complete, 999), (BackupState::InProgress, 1000), (BackupState::Failed, 1001)]
    {
        let expected = ContractError::Permille { backup: 7, state, permille };
        assert_eq!(check(state, permille, parts()), Err(expected));
    }
    let one = check(BackupState::Complete, 1000, vec![part_of(1, (5, 5), (2, 2, 0))]);
    assert_eq!(one, Err(ContractError::NotComplete { backup: 7, found: 1, successful: 1 }));
}

#[test]
fn no_more_is_done_than_there_is() {
    for part in
        [part_of(2, (5, 6), (1, 1, 0)), part_of(2, (5, 5), (1, 1, 1)), part_of(2, (5, 5), (u32::MAX, u32::MAX, 1))]
    {
        let expected = ContractError::MoreThanAll(part.snapshot_name.clone());
        assert_eq!(progress("7", &progress_of(BackupState::InProgress, 500, vec![part])), Err(expected));
    }
    let another = PartProgress { snapshot_name: part(8, 1).snapshot_name, ..part_of(1, (0, 0), (0, 0, 0)) };
    let outcome = progress("7", &progress_of(BackupState::InProgress, 500, vec![another]));
    assert!(matches!(outcome, Err(ContractError::AnotherSnapshot { .. })), "{outcome:?}");
    let outcome = progress("8", &progress_of(BackupState::InProgress, 500, Vec::new()));
    assert!(matches!(outcome, Err(ContractError::AnotherBackup { .. })), "{outcome:?}");
}

#[test]
fn refuses_a_failure_without_reason_and_a_list_out_of_order() {
    let failed = Backup { state: BackupState::Failed, ..complete(7) };
    let expected = ContractError::Reason { backup: 7, state: BackupState::Failed, has_reason: false };
    assert_eq!(requested_backup("7", &failed), Err(expected));
    for backups in [vec![complete(7), complete(7)], vec![complete(7), complete(9)]] {
        let last = backups[1].backup_id;
        assert_eq!(
            page(&ListQuery::default(), &BackupsPage { backups, foreign: 0, next: None }),
            Err(ContractError::Order(last))
        );
    }
}

#[test]
fn refuses_a_page_that_is_not_what_was_asked_for() {
    let query = ListQuery { pattern: "7*".to_owned(), before: Some(79), limit: Some(2), verbose: true };
    let check = |ids: &[BackupId], next| {
        page(&query, &BackupsPage { backups: ids.iter().copied().map(complete).collect(), foreign: 0, next })
    };
    for other in [80, 79, 68] {
        assert_eq!(check(&[other], None), Err(ContractError::NotAskedFor(other)));
    }
    assert_eq!(check(&[78, 77, 76], None), Err(ContractError::TooMany { found: 3, allowed: 2 }));
    for next in [79, 78, 68, 0] {
        assert_eq!(check(&[77, 76], Some(next)), Err(ContractError::NextPage(next)), "the end, or no end at all");
    }
    let complete_list = BackupsPage { backups: vec![complete(7)], foreign: 0, next: Some(7) };
    assert_eq!(page(&ListQuery::default(), &complete_list), Err(ContractError::NextPage(7)));
}

fn plan_of(change: impl Fn(&mut RestorePlan)) -> Result<(), ContractError> {
    let index = |n: u8| (format!("optimize-a_v{n}"), n);
    let names = [index(1), index(2)];
    let planned = |(name, part): &(String, u8)| PlannedIndex {
        part: Some(*part),
        index: name.clone(),
        target: name.clone(),
        size: None,
        exists: true,
        action: RestoreAction::Replaced,
    };
    let run = |(name, part): &(String, u8)| RunIndex {
        part: *part,
        index: name.clone(),
        target: name.clone(),
        size: None,
        replaces: Some("uuid".to_owned()),
    };
    let mut made = RestorePlan {
        backup_id: 7,
        snapshots: vec![part(7, 1).snapshot_name, part(7, 2).snapshot_name],
        optimize_version: None,
        indices: names.iter().map(planned).collect(),
        findings: vec![
            finding("diskSpace", Severity::Blocking, true),
            finding("tooFewNodes", Severity::Warning, false),
        ],
        writes: Vec::new(),
        again_in: None,
        run: Some(RestoreRun {
            backup_id: 7,
            rename_prefix: None,
            snapshots: vec!["a".to_owned(), "b".to_owned()],
            indices: names.iter().map(run).collect(),
        }),
    };
    change(&mut made);
    plan("7", &RestoreOptions { rename_prefix: None, overridden: vec!["diskSpace".to_owned()] }, &made)
}

fn finding(code: &str, severity: Severity, overridden: bool) -> Finding {
    Finding { code: code.to_owned(), severity, overridden, message: String::new() }
}

#[test]
fn a_restore_that_begins_is_the_one_that_was_listed_and_nothing_stops_it() {
    assert_eq!(plan_of(|_| {}), Ok(()));
    for (severity, overridden) in [(Severity::Blocking, false), (Severity::Final, false)] {
        let stopped = plan_of(|plan| plan.findings.push(finding("shardLimit", severity, overridden)));
        assert_eq!(stopped, Err(ContractError::Stopped("shardLimit".to_owned())));
    }
    let not_asked = plan_of(|plan| plan.findings.push(finding("shardLimit", Severity::Blocking, true)));
    assert_eq!(not_asked, Err(ContractError::NotOverridden("shardLimit".to_owned())));
    let not_listed = Err(ContractError::NotListed("optimize-a_v1".to_owned()));
    assert_eq!(plan_of(|plan| drop(plan.indices.remove(0))), not_listed);
    assert_eq!(plan_of(|plan| plan.indices[0].action = RestoreAction::LeftAlone), not_listed);
    assert_eq!(plan_of(|plan| plan.indices[0].action = RestoreAction::Kept), not_listed, "it would be deleted");
    assert_eq!(plan_of(|plan| plan.indices[0].part = Some(2)), not_listed);
}
