//! One verification at a time, and hosts that are gone.

use backup_core::memory::{Dialect, Intercepted};
use backup_core::operations::verification;
use backup_core::verification::scratch::LOCK;
use backup_core::verification::{CheckName, CheckOutcome, VerificationHolder, VerificationTraces};
use backup_core::{BackupId, Context, ErrorKind, IndexPrefix, Method, Request, Settings};

use super::fixture::{assert_passed, is_taking_lock, outcome, verifiable};
use crate::fixture::Fixture;
use crate::restore::fixture::ID;

#[test]
fn of_two_at_once_exactly_one_begins() {
    for dialect in Dialect::ALL {
        let fixture = verifiable(dialect);
        let other = std::cell::OnceCell::new();
        // The other one takes the lock after this one has seen that there is none.
        let engine = Intercepted::new(&fixture.engine, |request: &Request| {
            if is_taking_lock(request) {
                other.get_or_init(|| fixture.begin("other").unwrap());
            }
            None
        });
        let error = fixture.begin_over(&engine, "verifier").unwrap_err();
        assert_eq!(error.code(), "verificationInProgress");
        assert!(error.to_string().contains("backup 7"), "{error}");
        assert_eq!(fixture.begin("third").unwrap_err().code(), "verificationInProgress");
        assert_passed(&fixture.go_on(other.get().unwrap()));
        assert_passed(&fixture.verify());
    }
}

#[test]
fn another_installations_lock_is_respected() {
    let fixture = verifiable(Dialect::OpenSearch2_19);
    let other = Settings { index_prefix: IndexPrefix::parse("optimize-eu").unwrap(), ..fixture.settings() };
    let context = |run_id: &str| Context { settings: other.clone(), ..fixture.context(run_id) };
    verification::begin(&fixture.engine, &context("of-eu"), "8").unwrap_err();
    let holder = VerificationHolder { backup_id: BackupId::new(8).unwrap(), run_id: "of-eu".to_owned(), beat: 3 };
    backup_core::Engine::send(&fixture.engine, &Request::take_lock(&holder.to_setting())).unwrap();
    let error = fixture.begin("verifier").unwrap_err();
    assert!(error.to_string().contains("backup 8"), "{error}");
    assert_eq!(fixture.traces().holder, Some(holder));
}

#[test]
fn one_whose_lock_was_taken_away_touches_nothing() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let run = fixture.begin("verifier").unwrap();
    let run = fixture.go_on_until(&run, |_| fixture.scratch().len() > 1);
    let holder = fixture.traces().holder.unwrap();
    assert!(fixture.clear(Some(&holder)).unwrap());
    assert_eq!(fixture.scratch(), Vec::<String>::new());

    let writes = fixture.writes().len();
    let error = fixture.verification_step(&run).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "it is no check of the backup that has failed");
    assert!(error.to_string().contains("nobody has it"), "{error}");

    let other = fixture.begin("other").unwrap();
    let other = fixture.go_on_until(&other, |_| fixture.scratch().len() > 1);
    let before = (fixture.engine.indices(), fixture.writes().len());
    let error = fixture.verification_step(&run).unwrap_err();
    assert!(error.to_string().contains("a verification of backup 7 has it"), "{error}");
    assert_eq!((fixture.engine.indices(), fixture.writes().len()), before);
    assert!(before.1 > writes);
    assert_passed(&fixture.go_on(&other));
}

#[test]
fn what_a_slow_one_makes_after_that_is_deleted_by_the_next() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let run = fixture.begin("verifier").unwrap();
    // Between its look at the lock and the restore the lock goes to another.
    let other = std::cell::OnceCell::new();
    let engine = Intercepted::new(&fixture.engine, |request: &Request| {
        if request.method == Method::Post {
            other.get_or_init(|| {
                fixture.clear_what_is_left();
                fixture.begin("other").unwrap()
            });
        }
        None
    });
    verification::advance(&engine, &fixture.context("unused"), &run).unwrap();
    assert!(fixture.scratch().len() > 1);
    assert_passed(&fixture.go_on(other.get().unwrap()));
    assert_eq!(fixture.scratch(), Vec::<String>::new());
}

#[test]
fn only_what_is_still_its_holders_is_cleared() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let run = fixture.begin("verifier").unwrap();
    fixture.go_on_until(&run, |_| fixture.scratch().len() > 1);
    let holder = fixture.traces().holder.unwrap();
    let before = fixture.engine.indices();
    let others = [
        VerificationHolder { beat: holder.beat + 1, ..holder.clone() },
        VerificationHolder { run_id: "other".to_owned(), ..holder.clone() },
        VerificationHolder { backup_id: BackupId::new(8).unwrap(), ..holder.clone() },
    ];
    for other in others.iter().map(Some).chain([None]) {
        assert!(!fixture.clear(other).unwrap(), "{other:?}");
        assert_eq!(fixture.engine.indices(), before);
    }
    assert!(fixture.clear(Some(&holder)).unwrap());
    assert_eq!(fixture.traces(), VerificationTraces::default());
    assert!(!fixture.clear(Some(&holder)).unwrap());
    assert!(fixture.clear(None).unwrap());
}

#[test]
fn copies_without_a_lock_are_seen_and_cleared() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    for number in 0..120 {
        fixture.engine.add_index(&format!("optimize-backup-verify-3-optimize-process-instance-p{number}_v8"));
    }
    let traces = fixture.traces();
    assert_eq!((traces.holder, traces.indices.len()), (None, 120));
    let before = fixture.all_else();
    assert!(fixture.clear(None).unwrap());
    assert_eq!(fixture.traces(), VerificationTraces::default());
    assert_eq!(fixture.all_else(), before);
}

#[test]
fn a_verification_deletes_what_an_earlier_one_has_left() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let copy = format!("optimize-backup-verify-{ID}-optimize-settings_v3");
    fixture.engine.add_index(&copy);
    fixture.engine.add_index("optimize-backup-verify-3-optimize-settings_v3");
    assert_passed(&fixture.verify());
    assert_eq!(fixture.scratch(), Vec::<String>::new());
}

/// Everything that looks at an installation leaves out what verifications make, whose names begin with its prefix, too.
#[test]
fn what_a_verification_makes_is_no_part_of_a_backup_or_a_restore() {
    let fixture = verifiable(Dialect::Elasticsearch8_19);
    let run = fixture.begin("verifier").unwrap();
    let run =
        fixture.go_on_until(&run, |run| run.indices.iter().any(|index| index.checked) && fixture.scratch().len() > 1);
    assert!(fixture.scratch().iter().any(|name| name != LOCK));
    fixture.create(9, "run-9").unwrap();
    fixture.drive(9);
    let made = fixture.snapshots().into_iter().filter(|snapshot| snapshot.name.contains("_9_"));
    for snapshot in made {
        assert!(snapshot.indices.iter().all(|name| !name.contains("verify")), "{:?}", snapshot.indices);
    }
    let plan = fixture.plan();
    assert!(plan.indices.iter().all(|index| !index.target.contains("verify")), "{plan:#?}");
    assert!(plan.findings.is_empty(), "{:#?}", plan.findings);
    assert_eq!(Fixture::standing(&fixture).state, backup_core::restore::RestoreState::None);
    assert_eq!(outcome(&fixture.go_on(&run), CheckName::Restored), CheckOutcome::Passed);
}
