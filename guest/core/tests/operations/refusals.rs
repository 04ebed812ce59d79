//! What goes wrong between us and the engine, at every request of every operation.

use backup_core::{Error, ErrorKind, ListQuery, SnapshotState, TransportError, operations};

use crate::fixture::{Fault, Faulty, Fixture, answer, broken_after, interrupted, on_every_engine, part, refusal};

/// What can come instead of an answer, and what it is called.
fn faults() -> Vec<(Fault, ErrorKind, &'static str)> {
    use ErrorKind::{Denied, EngineFailure, Unreachable};
    let page = "<html><body>Service Unavailable</body></html>";
    let answers = [
        (refusal(401, "security_exception", "missing authentication credentials"), "engineAccessDenied"),
        (refusal(403, "security_exception", "action is unauthorized"), "engineAccessDenied"),
        (refusal(429, "circuit_breaking_exception", "[parent] Data too large"), "engineBusy"),
        (refusal(500, "illegal_state_exception", "cannot"), "engineRefused"),
        (refusal(503, "master_not_discovered_exception", ""), "engineBusy"),
        (answer(503, page), "engineBusy"),
        (answer(500, page), "engineRefused"),
        (answer(200, page), "engineAnswerInvalid"),
        (answer(200, r#"{"snapshots":[{"snap"#), "engineAnswerInvalid"),
        (answer(200, "[]"), "engineAnswerInvalid"),
        (answer(200, ""), "engineAnswerInvalid"),
    ];
    let missing = [
        (TransportError::Denied("not granted".to_owned()), Denied, "requestNotGranted"),
        (TransportError::Unreachable("connection refused".to_owned()), Unreachable, "engineUnreachable"),
        (interrupted(), Unreachable, "engineNotAnswering"),
        (TransportError::Unreadable("over the limit".to_owned()), EngineFailure, "engineAnswerInvalid"),
    ];
    answers
        .into_iter()
        .map(|(answer, code)| (Fault::Answer(answer), EngineFailure, code))
        .chain(missing.into_iter().map(|(error, kind, code)| (Fault::Transport(error), kind, code)))
        .collect()
}

type Operation = fn(&Fixture, &Faulty) -> Result<(), Error>;

/// Breaks every request of an operation in every way. Nothing changes, and the error has its name.
fn break_everywhere(fixture: &Fixture, requests: usize, operation: Operation) {
    let before = fixture.snapshots();
    for (fault, kind, code) in faults() {
        for sent in 0..requests {
            let outcome = operation(fixture, &broken_after(&fixture.engine, sent, fault.clone()));
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.code()), (kind, code), "{fault:?} after {sent} requests: {error}");
            assert_eq!(fixture.snapshots(), before, "{fault:?} after {sent} requests");
        }
    }
    let all_arrive = broken_after(&fixture.engine, requests, faults()[0].0.clone());
    assert_eq!(operation(fixture, &all_arrive), Ok(()), "it has more than {requests} requests");
}

#[test]
fn a_backup_is_not_begun() {
    on_every_engine(|fixture| {
        break_everywhere(fixture, 7, |fixture, engine| {
            operations::create(engine, &fixture.context("run-1"), "12").map(drop)
        });
        assert_eq!(fixture.names(), [part(12, 1)]);
    });
}

#[test]
fn a_backup_is_not_told() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 1, SnapshotState::Success, "run-1");
        break_everywhere(fixture, 2, |fixture, engine| operations::get(engine, &fixture.context("-"), "12").map(drop));
        break_everywhere(fixture, 2, |fixture, engine| {
            operations::list(engine, &fixture.context("-"), &ListQuery::default()).map(drop)
        });
    });
}

#[test]
fn a_backup_is_not_deleted() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 1, SnapshotState::Success, "run-1");
        break_everywhere(fixture, 3, |fixture, engine| {
            operations::delete(engine, &fixture.context("-"), "12", None).map(drop)
        });
        assert!(fixture.names().is_empty());
    });
}

#[test]
fn a_run_takes_no_step_but_can_take_it_again() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 1, SnapshotState::InProgress, "run-1");
        break_everywhere(fixture, 1, |fixture, engine| fixture.advance_over(engine, 12).map(drop));
    });
}

#[test]
fn the_engines_own_words_are_told() {
    on_every_engine(|fixture| {
        let busy = refusal(429, "circuit_breaking_exception", "[parent] Data too large");
        let error = fixture.advance_over(&broken_after(&fixture.engine, 0, Fault::Answer(busy)), 12).unwrap_err();
        assert_eq!(error.detail().unwrap(), "429 circuit_breaking_exception: [parent] Data too large");
        assert!(error.to_string().contains("GET /_snapshot/backups/camunda_optimize_12_*"), "{error}");
    });
}
