use super::*;
use crate::sandbox::types::ByteCount;
use crate::sandbox::verifications::{Check, VerificationHolder, VerifiedIndex};

fn check(name: &str, outcome: CheckOutcome) -> Check {
    Check { name: name.to_owned(), outcome, found: String::new() }
}

fn index(name: &str, checked: bool) -> VerifiedIndex {
    VerifiedIndex { part: 1, index: name.to_owned(), size: None, documents: None, checked }
}

fn run(checked: bool, outcome: CheckOutcome) -> VerificationRun {
    VerificationRun {
        backup_id: 7,
        run_id: "run".to_owned(),
        beat: 3,
        beaten: 0,
        snapshots: vec!["one".to_owned(), "two".to_owned()],
        indices: vec![index("a", true), index("b", checked)],
        checks: vec![check("restored", outcome), check("documents", CheckOutcome::Skipped)],
    }
}

fn step(run: VerificationRun, again_in: Option<u64>) -> VerificationStep {
    VerificationStep { run, bytes: None, again_in, refusal: None }
}

const PENDING: CheckOutcome = CheckOutcome::Pending;

#[test]
fn a_step_of_the_same_verification_is_taken() {
    let asked = run(false, PENDING);
    for (answer, again_in) in [
        (run(false, PENDING), Some(1)),
        (run(true, PENDING), Some(1)),
        (run(true, CheckOutcome::Passed), None),
        (run(false, CheckOutcome::Failed), None),
    ] {
        assert_eq!(verification_step(&asked, &step(answer, again_in)), Ok(()));
    }
}

#[test]
fn another_verification_is_refused() {
    let asked = run(false, PENDING);
    let others: [fn(&mut VerificationRun); 9] = [
        |run| run.backup_id = 8,
        |run| run.run_id = "another".to_owned(),
        |run| run.beat = 2,
        |run| drop(run.snapshots.pop()),
        |run| drop(run.indices.pop()),
        |run| run.indices[1].index = "c".to_owned(),
        |run| run.indices[0].checked = false,
        |run| drop(run.checks.pop()),
        |run| run.checks[0].name = "nothing".to_owned(),
    ];
    for change in others {
        let mut answer = run(false, PENDING);
        change(&mut answer);
        assert_eq!(verification_step(&asked, &step(answer, Some(1))), Err(ContractError::AnotherVerification));
    }
    assert_eq!(begun_verification("7", "run", &asked), Ok(()));
    assert!(begun_verification("8", "run", &asked).is_err());
    assert!(begun_verification("7", "another", &asked).is_err());
    let empty: [fn(&mut VerificationRun); 2] = [|run| run.indices.clear(), |run| run.checks.clear()];
    for change in empty {
        let mut begun = run(false, PENDING);
        change(&mut begun);
        assert_eq!(begun_verification("7", "run", &begun), Err(ContractError::AnotherVerification));
    }
}

#[test]
fn nothing_has_passed_that_was_not_looked_at() {
    let asked = run(false, PENDING);
    let end = |run| verification_step(&asked, &step(run, None));
    assert_eq!(end(run(true, PENDING)), Err(ContractError::CheckPending(7)));
    assert_eq!(end(run(false, CheckOutcome::Passed)), Err(ContractError::NotVerified(7, 1)));
    assert_eq!(end(run(true, CheckOutcome::Skipped)), Err(ContractError::NotVerified(7, 0)));
    let failed = run(false, CheckOutcome::Failed);
    for outcome in [CheckOutcome::Passed, CheckOutcome::Skipped, PENDING] {
        let taken_back = verification_step(&failed, &step(run(true, outcome), Some(1)));
        assert_eq!(taken_back, Err(ContractError::CheckTakenBack(7)), "{outcome:?}");
    }
    let too_much =
        VerificationStep { bytes: Some(ByteCount { total: 1, done: 2 }), ..step(run(false, PENDING), Some(1)) };
    assert!(matches!(verification_step(&asked, &too_much), Err(ContractError::MoreThanAll(_))));
}

#[test]
fn traces_are_of_verifications() {
    let traces = |indices: &[&str], backup_id| VerificationTraces {
        holder: Some(VerificationHolder { backup_id, run_id: "run".to_owned(), beat: 0 }),
        indices: indices.iter().map(|&index| index.to_owned()).collect(),
    };
    let own = ["optimize-backup-verify-7-optimize-settings_v3", "optimize-backup-verify-lock"];
    assert_eq!(verification_traces(&traces(&own, 7)), Ok(()));
    assert!(verification_traces(&traces(&[], 0)).is_err());
    for index in ["optimize-settings_v3", "optimize-backup-verify"] {
        assert!(verification_traces(&traces(&[index], 7)).is_err(), "{index}");
    }
}
