//! A part 2 that the engine does not take.

use std::cell::Cell;
use std::time::Duration;

use backup_core::memory::Intercepted;
use backup_core::{BackupState, Engine, Response, SnapshotState, TransportError};

use crate::fixture::{
    Fault, Fixture, OTHER_INDICES, answer, faulty, is_put, is_resolve, on_every_engine, part, refusal,
};

/// A backup whose part 1 has just succeeded.
fn with_part_one(fixture: &Fixture) {
    fixture.create(12, "run-1").unwrap();
    fixture.finish(12, 1, SnapshotState::Success);
}

#[test]
fn a_refusal_that_can_pass_is_told_and_tried_again() {
    let refusals = [
        refusal(429, "circuit_breaking_exception", "too large"),
        refusal(500, "snapshot_exception", "Indices don't have primary shards"),
        refusal(503, "concurrent_snapshot_execution_exception", "too many"),
        answer(503, "<html>"),
    ];
    for concerned in [is_put, is_resolve] {
        for refusal in &refusals {
            on_every_engine(|fixture| {
                with_part_one(fixture);
                let engine = faulty(&fixture.engine, concerned, 3, Fault::Answer(refusal.clone()));
                for _ in 0..3 {
                    let progress = fixture.advance_over(&engine, 12).unwrap();
                    assert_eq!(progress.again_in, Some(Duration::from_secs(2)));
                    assert_eq!(progress.backup.state, BackupState::InProgress);
                    assert!(progress.refusal.unwrap().starts_with(&refusal.status.to_string()));
                    assert_eq!(fixture.names(), [part(12, 1)]);
                }
                assert_eq!(fixture.advance_over(&engine, 12).unwrap().refusal, None);
                assert_eq!(fixture.drive(12).state, BackupState::Complete);
            });
        }
    }
}

#[test]
fn a_primary_that_is_not_assigned_is_waited_for() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.engine.assign_primary(OTHER_INDICES[0], false);
        let refusal = fixture.advance(12).unwrap().refusal.unwrap();
        assert!(refusal.starts_with("500 snapshot_exception") && refusal.contains(OTHER_INDICES[0]), "{refusal}");
        fixture.engine.assign_primary(OTHER_INDICES[0], true);
        assert_eq!(fixture.drive(12).state, BackupState::Complete);
    });
}

#[test]
fn the_engine_may_ask_for_time_but_not_for_an_hour() {
    let busy = |seconds| Response {
        retry_after: Some(Duration::from_secs(seconds)),
        ..refusal(429, "too_many_requests", "later")
    };
    on_every_engine(|fixture| {
        with_part_one(fixture);
        for (asked, waited) in [(0, 2), (7, 7), (3600, 30)] {
            let engine = faulty(&fixture.engine, is_put, 1, Fault::Answer(busy(asked)));
            let progress = fixture.advance_over(&engine, 12).unwrap();
            assert_eq!(progress.again_in, Some(Duration::from_secs(waited)));
        }
    });
}

#[test]
fn a_refusal_that_cannot_pass_ends_the_run() {
    let refusals = [
        refusal(400, "illegal_argument_exception", "unrecognized parameter"),
        refusal(403, "security_exception", "unauthorized"),
        refusal(404, "repository_missing_exception", "[backups] missing"),
    ];
    for concerned in [is_put, is_resolve] {
        for refusal in &refusals {
            on_every_engine(|fixture| {
                with_part_one(fixture);
                let engine = faulty(&fixture.engine, concerned, 1, Fault::Answer(refusal.clone()));
                expect_end(fixture, &engine, &refusal.status.to_string());
            });
        }
    }
}

#[test]
fn a_host_that_denies_it_ends_the_run() {
    for concerned in [is_put, is_resolve] {
        on_every_engine(|fixture| {
            with_part_one(fixture);
            let denied = TransportError::Denied("an index outside of the prefix".to_owned());
            let engine = faulty(&fixture.engine, concerned, 1, Fault::Transport(denied));
            expect_end(fixture, &engine, "an index outside of the prefix");
        });
    }
}

#[test]
fn without_other_indices_the_run_ends() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        OTHER_INDICES.iter().for_each(|index| fixture.engine.remove_index(index));
        expect_end(fixture, &fixture.engine, "no index besides the import indices");
    });
}

/// A role can be changed between the parts.
#[test]
fn without_what_every_installation_has_the_run_ends() {
    for index in ["optimize-metadata_v3", "optimize-settings_v3", "optimize-timestamp-based-import-index_v5"] {
        on_every_engine(|fixture| {
            with_part_one(fixture);
            fixture.engine.remove_index(index);
            expect_end(fixture, &fixture.engine, &format!("no {}", index.split_once("_v").unwrap().0));
        });
    }
}

fn expect_end(fixture: &Fixture, engine: &impl Engine, reason: &str) {
    let progress = fixture.advance_over(engine, 12).unwrap();
    assert_eq!((progress.again_in, progress.backup.state), (None, BackupState::Incomplete));
    assert!(progress.refusal.unwrap().contains(reason));
    assert!(progress.backup.failure_reason.unwrap().contains(reason));
    assert_eq!(fixture.names(), [part(12, 1)]);
}

#[test]
fn a_lost_answer_decides_nothing() {
    let lost = [
        (Fault::LostBefore, "engineNotAnswering"),
        (Fault::LostAfter, "engineNotAnswering"),
        (Fault::Transport(TransportError::Unreachable(String::new())), "engineUnreachable"),
        (Fault::Transport(TransportError::Unreadable(String::new())), "engineAnswerInvalid"),
    ];
    for (fault, expected) in lost {
        on_every_engine(|fixture| {
            with_part_one(fixture);
            let engine = faulty(&fixture.engine, is_put, 1, fault.clone());
            assert_eq!(fixture.advance_over(&engine, 12).unwrap_err().code(), expected);
            assert_eq!(fixture.drive(12).state, BackupState::Complete);
            assert_eq!(fixture.names(), [part(12, 1), part(12, 2)]);
        });
    }
}

#[test]
fn an_answer_that_is_no_engines_is_not_believed() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let engine = faulty(&fixture.engine, is_put, 1, Fault::Answer(answer(200, "<html>Welcome</html>")));
        assert!(fixture.advance_over(&engine, 12).unwrap().again_in.is_some());
        assert_eq!(fixture.names(), [part(12, 1)]);
        assert_eq!(fixture.drive(12).state, BackupState::Complete);
    });
}

/// 8.10 deletes the index of a process without instances at any moment.
#[test]
fn indices_are_looked_up_again_at_once_when_one_has_vanished() {
    on_every_engine(|fixture| {
        let processes = ["a", "b", "c"].map(|key| format!("optimize-process-instance-{key}_v8"));
        processes.iter().for_each(|index| fixture.engine.add_index(index));
        with_part_one(fixture);
        let vanished = Cell::new(0);
        let engine = Intercepted::new(&fixture.engine, |request| {
            if is_put(request)
                && let Some(index) = processes.get(vanished.get())
            {
                fixture.engine.remove_index(index);
                vanished.set(vanished.get() + 1);
            }
            None
        });
        let progress = fixture.advance_over(&engine, 12).unwrap();
        assert_eq!((progress.refusal, vanished.get()), (None, 3));
        assert_eq!(fixture.snapshots()[1].indices, OTHER_INDICES);
    });
}

#[test]
fn while_indices_go_on_vanishing_part_2_is_tried_again_soon() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let gone = refusal(404, "index_not_found_exception", "no such index [optimize-process-instance-a_v8]");
        let engine = faulty(&fixture.engine, is_put, 7, Fault::Answer(gone));
        let progress = fixture.advance_over(&engine, 12).unwrap();
        assert!(progress.again_in.unwrap() < Duration::from_secs(1));
        assert!(progress.refusal.unwrap().contains("index_not_found_exception"));
        assert_eq!(progress.backup.state, BackupState::InProgress);
        assert_eq!(fixture.advance_over(&engine, 12).unwrap().refusal, None);
        assert_eq!(fixture.drive(12).state, BackupState::Complete);
    });
}
