use std::cell::Cell;
use std::time::Duration;

use backup_core::memory::{Damage, Dialect, Intercepted};
use backup_core::operations::{self, Deleted};
use backup_core::{Method, SnapshotState, TransportError};

use crate::fixture::{Fault, Fixture, answer, faulty, is_put, is_write, nobody_knows, on_every_engine, part, refusal};

fn complete(fixture: &Fixture, id: u64, run_id: &str) {
    fixture.store_ours(id, 1, SnapshotState::Success, run_id);
    fixture.store_ours(id, 2, SnapshotState::Success, run_id);
}

#[test]
fn exactly_its_snapshots_are_deleted_by_their_names() {
    on_every_engine(|fixture| {
        complete(fixture, 12, "run-1");
        complete(fixture, 123, "run-2");
        fixture.store_foreign("camunda_optimize_12_", SnapshotState::Success);
        fixture.store_foreign("nightly-1", SnapshotState::Success);
        let deleted = fixture.delete(12, None).unwrap();
        let snapshots = vec![part(12, 1), part(12, 2)];
        assert_eq!((deleted.snapshots, deleted.pending), (snapshots, false));
        assert_eq!(deleted.runs.first().map(String::as_str), Some("run-1"));
        assert_eq!(deleted.runs.len(), 3, "the run, and the UUIDs of two snapshots: {:?}", deleted.runs);
        let [request] = fixture.writes().try_into().unwrap();
        let expected = format!("DELETE /_snapshot/backups/{},{}", part(12, 1), part(12, 2));
        assert_eq!((request.to_string(), request.query.len()), (expected, 0));
        assert_eq!(fixture.names(), [&part(123, 1), &part(123, 2), "camunda_optimize_12_", "nightly-1"]);
    });
}

#[test]
fn an_unknown_number_is_deleted_already() {
    on_every_engine(|fixture| {
        let nothing = Deleted { snapshots: Vec::new(), runs: Vec::new(), pending: false };
        assert_eq!(fixture.delete(12, None), Ok(nothing));
        assert!(fixture.writes().is_empty());
    });
}

#[test]
fn what_somebody_else_made_is_deleted_too() {
    on_every_engine(|fixture| {
        fixture.store_foreign(&part(12, 1), SnapshotState::Success);
        assert_eq!(fixture.delete(12, None).unwrap().snapshots, [part(12, 1)]);
        assert!(fixture.names().is_empty());
    });
}

/// A deletion may get lost, and is then submitted again: for exactly what it was about.
#[test]
fn what_no_run_tells_of_is_known_again() {
    for damage in [None, Some(Damage::Missing), Some(Damage::Unreadable)] {
        on_every_engine(|fixture| {
            fixture.store_foreign(&part(12, 1), SnapshotState::Success);
            fixture.engine.damage(&part(12, 1), damage);
            let lost = faulty(&fixture.engine, is_write, 1, Fault::Answer(answer(200, "{}")));
            let runs = operations::delete(&lost, &fixture.context("-"), "12", None).unwrap().runs;

            assert_eq!(fixture.delete(12, Some(&runs)).unwrap().snapshots, [part(12, 1)]);
            assert!(fixture.names().is_empty());

            fixture.engine.pass(Duration::from_secs(1));
            fixture.store_foreign(&part(12, 1), SnapshotState::Success);
            fixture.engine.damage(&part(12, 1), damage);
            assert_eq!(fixture.delete(12, Some(&runs)).unwrap().snapshots, Vec::<String>::new(), "a new one");
        });
    }
}

/// Otherwise a deletion that got lost would be told as done.
#[test]
fn one_that_has_become_unreadable_meanwhile_is_known_again() {
    on_every_engine(|fixture| {
        complete(fixture, 12, "run-1");
        let lost = faulty(&fixture.engine, is_write, 1, Fault::Answer(answer(200, "{}")));
        let runs = operations::delete(&lost, &fixture.context("-"), "12", None).unwrap().runs;
        fixture.engine.damage(&part(12, 1), Some(Damage::Missing));

        assert_eq!(fixture.delete(12, Some(&runs)).unwrap().snapshots.len(), 2);
        assert!(fixture.names().is_empty());
    });
}

#[test]
fn damaged_snapshots_can_be_deleted() {
    for damage in [Damage::Missing, Damage::Unreadable] {
        on_every_engine(|fixture| {
            complete(fixture, 12, "run-1");
            fixture.engine.damage(&part(12, 1), Some(damage));
            assert_eq!(fixture.delete(12, None).unwrap().snapshots.len(), 2);
            assert!(fixture.names().is_empty());
        });
    }
}

#[test]
fn one_that_goes_meanwhile_does_not_save_the_other() {
    on_every_engine(|fixture| {
        complete(fixture, 12, "run-1");
        let is_first = Cell::new(true);
        let engine = Intercepted::new(&fixture.engine, |request| {
            if request.method == Method::Delete && is_first.take() {
                fixture.delete_behind_our_back(&part(12, 1));
            }
            None
        });
        let deleted = operations::delete(&engine, &fixture.context("-"), "12", None).unwrap();
        assert_eq!(deleted.snapshots, [part(12, 2)]);
        assert!(fixture.names().is_empty());
    });
}

#[test]
fn the_runs_are_told_even_if_somebody_else_was_faster() {
    on_every_engine(|fixture| {
        complete(fixture, 12, "run-1");
        let engine = Intercepted::new(&fixture.engine, |request| {
            if is_write(request) {
                fixture.delete(12, None).unwrap();
            }
            None
        });
        let deleted = operations::delete(&engine, &fixture.context("-"), "12", None).unwrap();
        assert_eq!(deleted.snapshots.len(), 0);
        assert!(deleted.runs.contains(&"run-1".to_owned()), "{:?}", deleted.runs);
    });
}

/// Two hosts delete at the same time; the slower one is refused, and somebody has used the number again by then.
#[test]
fn a_second_attempt_spares_a_new_backup() {
    let missing = refusal(404, "snapshot_missing_exception", &format!("[backups:{}] is missing", part(12, 1)));
    let lost = TransportError::Interrupted("connection reset".to_owned());
    for answer in [Ok(missing), Err(lost)] {
        on_every_engine(|fixture| {
            complete(fixture, 12, "run-1");
            let is_first = Cell::new(true);
            let engine = Intercepted::new(&fixture.engine, |request| {
                if !is_write(request) || !is_first.take() {
                    return None;
                }
                fixture.delete(12, None).unwrap();
                fixture.engine.pass(Duration::from_secs(1));
                fixture.create(12, "run-2").unwrap();
                Some(answer.clone())
            });
            let deleted = operations::delete(&engine, &fixture.context("-"), "12", None).unwrap();
            assert_eq!(deleted.snapshots.len(), 0);
            assert!(deleted.runs.contains(&"run-1".to_owned()), "{:?}", deleted.runs);
            assert_eq!(fixture.get(12).unwrap().run_id.as_deref(), Some("run-2"));
        });
    }
}

#[test]
fn a_lost_answer_is_looked_up() {
    for fault in nobody_knows() {
        on_every_engine(|fixture| {
            complete(fixture, 12, "run-1");
            let engine = faulty(&fixture.engine, is_write, 1, fault.clone());
            let deleted = operations::delete(&engine, &fixture.context("-"), "12", None).unwrap();
            assert!(deleted.runs.contains(&"run-1".to_owned()) && !deleted.pending, "{deleted:?}");
            assert!(fixture.names().is_empty());
        });
    }
}

#[test]
fn that_no_time_is_left_does_not_hide_that_an_answer_was_lost() {
    on_every_engine(|fixture| {
        complete(fixture, 12, "run-1");
        let lists = Cell::new(0);
        let engine = Intercepted::new(&fixture.engine, |_| {
            lists.set(lists.get() + 1);
            Some(Err(match lists.get() {
                1 => TransportError::Interrupted("nothing came within 60 s".to_owned()),
                _ => TransportError::Unreachable("the call's time is up".to_owned()),
            }))
        });
        let outcome = operations::delete(&engine, &fixture.context("unused"), "12", None);
        assert_eq!(outcome.unwrap_err().code(), "engineNotAnswering");
    });
}

#[test]
fn a_refusal_is_the_callers_to_know() {
    on_every_engine(|fixture| {
        complete(fixture, 12, "run-1");
        let busy = refusal(503, "concurrent_snapshot_execution_exception", "a repository clean-up is running");
        let engine = faulty(&fixture.engine, is_write, 1, Fault::Answer(busy));
        let error = operations::delete(&engine, &fixture.context("-"), "12", None).unwrap_err();
        assert_eq!(error.code(), "engineBusy");
        assert!(error.detail().unwrap().contains("clean-up is running"));
        assert_eq!(fixture.names().len(), 2);
    });
}

#[test]
fn the_second_look_spares_a_new_backup() {
    on_every_engine(|fixture| {
        complete(fixture, 12, "run-1");
        let runs = fixture.delete(12, None).unwrap().runs;
        fixture.engine.pass(Duration::from_secs(1));
        fixture.create(12, "run-2").unwrap();
        assert_eq!(fixture.delete(12, Some(&runs)).unwrap().snapshots, Vec::<String>::new());
        assert_eq!(fixture.names(), [part(12, 1)]);
    });
}

#[test]
fn the_second_look_finds_what_another_host_was_about_to_start() {
    on_every_engine(|fixture| {
        fixture.create(12, "run-1").unwrap();
        fixture.finish(12, 1, SnapshotState::Success);
        let runs = Cell::new(Vec::new());
        let engine = Intercepted::new(&fixture.engine, |request| {
            if is_put(request) {
                runs.set(fixture.delete(12, None).unwrap().runs);
            }
            None
        });
        fixture.advance_over(&engine, 12).unwrap();
        assert_eq!(fixture.names(), [part(12, 2)]);
        assert_eq!(fixture.delete(12, Some(&runs.take())).unwrap().snapshots, [part(12, 2)]);
        assert!(fixture.names().is_empty());
    });
}

#[test]
fn only_runs_of_nobody_deletes_nothing() {
    on_every_engine(|fixture| {
        complete(fixture, 12, "run-1");
        fixture.store_foreign("camunda_optimize_12_8.5.0_part_1_of_2", SnapshotState::Success);
        fixture.delete(12, Some(&[])).unwrap();
        assert!(fixture.writes().is_empty());
    });
}

#[test]
fn a_running_snapshot_takes_most_engines_a_while() {
    on_every_engine(|fixture| {
        fixture.create(12, "run-1").unwrap();
        let pending = fixture.delete(12, None).unwrap().pending;
        assert_eq!(pending, fixture.engine.dialect() != Dialect::Elasticsearch8_11);
        assert!(fixture.names().is_empty());
    });
}
