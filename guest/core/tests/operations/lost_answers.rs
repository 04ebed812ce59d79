//! Who has the name has the backup: answers to the request for part 1 that get lost, and races for it.

use std::cell::Cell;

use backup_core::memory::Intercepted;
use backup_core::operations::{self, Accepted};
use backup_core::{Engine, Error, ErrorKind, TransportError};

use crate::fixture::{
    Fault, Fixture, IMPORT_INDICES, OTHER_INDICES, faulty, is_put, nobody_knows, on_every_engine, part, refusal,
};

fn create_over(fixture: &Fixture, engine: &impl Engine) -> Result<Accepted, Error> {
    operations::create(engine, &fixture.context("run-1"), "12")
}

#[test]
fn a_lost_answer_is_looked_up_and_part_1_submitted_at_most_once() {
    for fault in nobody_knows() {
        on_every_engine(|fixture| {
            for times in 1..3 {
                create_over(fixture, &faulty(&fixture.engine, is_put, times, fault.clone())).unwrap();
                assert_eq!(fixture.names(), [part(12, 1)], "{fault:?} {times} times");
                fixture.delete(12, None).unwrap();
            }
        });
    }
}

#[test]
fn an_answer_that_is_lost_each_time_is_told_as_lost() {
    on_every_engine(|fixture| {
        let outcome = create_over(fixture, &faulty(&fixture.engine, is_put, usize::MAX, Fault::LostBefore));
        assert_eq!(outcome.unwrap_err().code(), "engineNotAnswering");
        assert!(fixture.names().is_empty());
    });
}

#[test]
fn what_follows_a_lost_answer_does_not_hide_that_it_was_lost() {
    on_every_engine(|fixture| {
        let puts = Cell::new(0);
        let engine = Intercepted::new(&fixture.engine, |request| {
            let error = match (is_put(request), puts.get()) {
                (true, 0) => TransportError::Interrupted("connection reset".to_owned()),
                (true, _) => TransportError::Unreachable("connection refused".to_owned()),
                (false, _) => return None,
            };
            puts.set(puts.get() + 1);
            Some(Err(error))
        });
        assert_eq!(create_over(fixture, &engine).unwrap_err().code(), "engineNotAnswering");
        assert_eq!(puts.get(), 2);
    });
}

#[test]
fn that_nobody_knows_who_has_the_name_is_told_as_lost() {
    on_every_engine(|fixture| {
        let is_written = Cell::new(false);
        let engine = Intercepted::new(&fixture.engine, |request| {
            let answer = if is_put(request) {
                // As of a proxy's second attempt.
                is_written.set(true);
                refusal(400, "invalid_snapshot_name_exception", "snapshot with the same name already exists")
            } else if is_written.get() {
                refusal(503, "cluster_block_exception", "no master")
            } else {
                return None;
            };
            Some(Ok(answer))
        });
        assert_eq!(create_over(fixture, &engine).unwrap_err().code(), "engineNotAnswering");
    });
}

#[test]
fn an_engine_that_acts_late_is_recognised_by_the_run() {
    on_every_engine(|fixture| {
        // It gets to the first request only when the second one comes.
        let late = Cell::new(None);
        let engine = Intercepted::new(&fixture.engine, |request| {
            if !is_put(request) {
                return None;
            }
            match late.take() {
                None => {
                    late.set(Some(request.clone()));
                    Some(Err(TransportError::Interrupted("timeout".to_owned())))
                }
                Some(first) => {
                    fixture.engine.send(&first).unwrap();
                    None
                }
            }
        });
        create_over(fixture, &engine).unwrap();
        assert_eq!(fixture.names(), [part(12, 1)]);
    });
}

#[test]
fn of_two_hosts_with_one_number_one_is_accepted() {
    on_every_engine(|fixture| {
        let engine = Intercepted::new(&fixture.engine, |request| {
            if is_put(request) {
                fixture.create(12, "run-of-the-faster").unwrap();
            }
            None
        });
        let error = create_over(fixture, &engine).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains(&part(12, 1)), "{error}");
        assert_eq!(fixture.get(12).unwrap().run_id.as_deref(), Some("run-of-the-faster"));
    });
}

#[test]
fn a_lost_request_leaves_the_name_to_whoever_is_faster() {
    for faster_than in [1, 2] {
        on_every_engine(|fixture| {
            let puts = Cell::new(0);
            let engine = Intercepted::new(&fixture.engine, |request| {
                if !is_put(request) {
                    return None;
                }
                puts.set(puts.get() + 1);
                if puts.get() == faster_than {
                    fixture.create(12, "run-of-the-faster").unwrap();
                }
                (puts.get() == 1).then(|| Err(TransportError::Interrupted("connection reset".to_owned())))
            });
            assert_eq!(create_over(fixture, &engine).unwrap_err().kind(), ErrorKind::Conflict);
            assert_eq!(fixture.snapshots().len(), 1);
        });
    }
}

#[test]
fn a_taken_name_is_a_conflict_even_if_it_is_free_again() {
    on_every_engine(|fixture| {
        let reason = "[backups:x] Invalid snapshot name [x], snapshot with the same name already exists";
        let taken = refusal(400, "invalid_snapshot_name_exception", reason);
        let outcome = create_over(fixture, &faulty(&fixture.engine, is_put, 1, Fault::Answer(taken)));
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Conflict);
    });
}

#[test]
fn indices_are_looked_up_again_when_one_has_vanished() {
    on_every_engine(|fixture| {
        let is_first = Cell::new(true);
        let engine = Intercepted::new(&fixture.engine, |request| {
            if is_put(request) && is_first.take() {
                fixture.engine.remove_index(IMPORT_INDICES[0]);
            }
            None
        });
        create_over(fixture, &engine).unwrap();
        assert_eq!(fixture.snapshots()[0].indices, [IMPORT_INDICES[1]]);
    });
}

#[test]
fn when_the_last_index_has_vanished_nothing_is_written() {
    on_every_engine(|fixture| {
        let engine = Intercepted::new(&fixture.engine, |request| {
            if is_put(request) {
                IMPORT_INDICES.iter().chain(&OTHER_INDICES).for_each(|index| fixture.engine.remove_index(index));
            }
            None
        });
        assert_eq!(create_over(fixture, &engine).unwrap_err().code(), "nothingToBackUp");
        assert!(fixture.names().is_empty());
    });
}
