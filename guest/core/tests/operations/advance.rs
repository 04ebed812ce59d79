//! How a run goes from part 1 to its end.

use std::time::Duration;

use backup_core::memory::{Damage, Intercepted};
use backup_core::operations::{self, Step};
use backup_core::{BackupId, BackupState, Error, RunNote, SnapshotState};
use serde_json::{Value, json};

use crate::fixture::{Fixture, OTHER_INDICES, REPOSITORY, RESUME_WINDOW, is_put, on_every_engine, part};

/// Steps that must end the run without a write.
fn ends(fixture: &Fixture, id: u64, expected: BackupState) -> Step {
    let before = fixture.writes().len();
    let step = fixture.advance(id).unwrap();
    assert_eq!((step.again_in, step.backup.state), (None, expected));
    assert_eq!(fixture.writes().len(), before);
    step
}

/// A backup whose part 1 has just succeeded.
fn with_part_one(fixture: &Fixture) {
    fixture.create(12, "run-1").unwrap();
    fixture.finish(12, 1, SnapshotState::Success);
}

#[test]
fn a_run_ends_complete() {
    on_every_engine(|fixture| {
        fixture.create(12, "run-1").unwrap();
        let backup = fixture.drive(12);
        assert_eq!((backup.state, backup.failure_reason), (BackupState::Complete, None));
        assert_eq!(fixture.get(12).unwrap().state, BackupState::Complete);
        assert_eq!(fixture.names(), [part(12, 1), part(12, 2)]);
        let [one, two] = fixture.snapshots().try_into().unwrap();
        assert!(one.ended.unwrap() <= two.started);
        assert_eq!(two.indices, OTHER_INDICES);
    });
}

#[test]
fn part_2_is_asked_for_as_part_1_was() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let step = fixture.advance(12).unwrap();
        assert_eq!((step.backup.state, step.refusal), (BackupState::InProgress, None));
        let put = fixture.writes().pop().unwrap();
        assert_eq!(put.to_string(), format!("PUT /_snapshot/backups/{}", part(12, 2)));
        let body: Value = serde_json::from_str(put.body.as_deref().unwrap()).unwrap();
        let origin = json!({
            "runId": "run-1", "part": 2, "parts": 2, "host": "host-1", "indexPrefix": "optimize",
            "indices": 6, "documents": 1, "policy": env!("CARGO_PKG_VERSION"),
        });
        let expected = json!({
            "indices": OTHER_INDICES, "include_global_state": false, "partial": false,
            "metadata": {"optimizeBackup": origin},
        });
        assert_eq!(body, expected);
    });
}

#[test]
fn part_2_waits_for_the_end_of_part_1() {
    on_every_engine(|fixture| {
        fixture.create(12, "run-1").unwrap();
        for _ in 0..20 {
            let step = fixture.advance(12).unwrap();
            let delay = step.again_in.unwrap();
            assert!((Duration::from_millis(200)..=Duration::from_secs(10)).contains(&delay), "{delay:?}");
            assert_eq!(step.backup.state, BackupState::InProgress);
            assert_eq!(fixture.names(), [part(12, 1)]);
            fixture.engine.pass(delay);
        }
        fixture.finish(12, 1, SnapshotState::Success);
        fixture.advance(12).unwrap();
        assert_eq!(fixture.names(), [part(12, 1), part(12, 2)]);
    });
}

#[test]
fn the_end_of_a_long_part_1_is_seen_within_a_short_window() {
    on_every_engine(|fixture| {
        fixture.create(12, "run-1").unwrap();
        fixture.engine.pass(Duration::from_secs(3600));
        let mut context = fixture.context("unused");
        context.settings.resume_window = Duration::from_secs(8);
        let step = operations::advance(&fixture.engine, &context, BackupId::new(12).unwrap()).unwrap();
        assert_eq!(step.again_in, Some(Duration::from_secs(2)));
    });
}

#[test]
fn part_2_keeps_the_version_of_part_1() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.engine.set_document("optimize-metadata_v3", Some(json!({"schemaVersion": "8.7.0"})));
        assert_eq!(fixture.drive(12).state, BackupState::Complete);
        assert_eq!(fixture.names(), [part(12, 1), part(12, 2)]);
    });
}

#[test]
fn part_2_holds_what_was_created_meanwhile() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.engine.add_index("optimize-process-instance-new_v8");
        fixture.advance(12).unwrap();
        assert!(fixture.snapshots()[1].indices.contains(&"optimize-process-instance-new_v8".to_owned()));
    });
}

#[test]
fn a_part_1_without_success_ends_the_run() {
    for state in [SnapshotState::Failed, SnapshotState::Partial] {
        on_every_engine(|fixture| {
            fixture.create(12, "run-1").unwrap();
            fixture.finish(12, 1, state);
            let reason = ends(fixture, 12, BackupState::Failed).backup.failure_reason.unwrap();
            assert!(reason.contains(&part(12, 1)) && reason.contains(state.as_str()), "{reason}");
        });
    }
}

#[test]
fn a_part_2_without_success_ends_the_run() {
    for state in [SnapshotState::Failed, SnapshotState::Partial] {
        on_every_engine(|fixture| {
            with_part_one(fixture);
            fixture.advance(12).unwrap();
            fixture.finish(12, 2, state);
            ends(fixture, 12, BackupState::Failed);
        });
    }
}

#[test]
fn a_lost_part_1_ends_the_run() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.engine.damage(&part(12, 1), Some(Damage::Missing));
        ends(fixture, 12, BackupState::Failed);
    });
}

#[test]
fn a_storage_that_is_away_for_a_moment_does_not_end_the_run() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.engine.damage(&part(12, 1), Some(Damage::Unreadable));
        assert_eq!(fixture.advance(12).unwrap_err().code(), "engineRefused");
        assert_eq!(fixture.names(), [part(12, 1)]);
        fixture.engine.damage(&part(12, 1), None);
        assert_eq!(fixture.drive(12).state, BackupState::Complete);
    });
}

#[test]
fn a_host_that_is_slower_finds_part_2_there() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let engine = Intercepted::new(&fixture.engine, |request| {
            if is_put(request) {
                fixture.advance(12).unwrap();
            }
            None
        });
        let step = fixture.advance_over(&engine, 12).unwrap();
        assert!(step.again_in.is_some() && step.refusal.is_none());
        assert_eq!(fixture.names(), [part(12, 1), part(12, 2)]);
        assert_eq!(fixture.drive(12).state, BackupState::Complete);
    });
}

#[test]
fn a_run_is_gone_on_with_until_the_window_closes() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.engine.pass(RESUME_WINDOW);
        assert!(fixture.advance(12).unwrap().again_in.is_some());
        assert_eq!(fixture.names(), [part(12, 1), part(12, 2)]);
    });
}

#[test]
fn after_the_window_a_run_is_left_incomplete() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.engine.pass(RESUME_WINDOW + Duration::from_millis(1));
        let reason = ends(fixture, 12, BackupState::Incomplete).backup.failure_reason.unwrap();
        assert_eq!(
            reason,
            format!(
                "part 2 of 2 is missing; only {} exists; part 1 ended at 2023-11-14T22:13:20Z, and part 2 was not started \
                 within backup.resumeWindow (10m) after that",
                part(12, 1)
            )
        );
    });
}

#[test]
fn what_the_host_remembers_of_a_refusal_is_told() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.engine.pass(RESUME_WINDOW + Duration::from_millis(1));
        let refusal = Some("500 snapshot_exception: no primary".to_owned());
        let note = note_on(fixture, 12, false, refusal);
        for backup in
            [fixture.advance_knowing(12, note.clone()).unwrap().backup, fixture.get_knowing(12, note).unwrap()]
        {
            assert_eq!(backup.state, BackupState::Incomplete);
            assert!(backup.failure_reason.unwrap().contains("500 snapshot_exception: no primary"));
        }
    });
}

#[test]
fn a_refusal_of_part_2_does_not_explain_that_part_1_is_missing() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 2, SnapshotState::Success, "run-1");
        let refusal = Some("500 snapshot_exception: no primary".to_owned());
        let note = note_on(fixture, 12, true, refusal);
        let reason = fixture.get_knowing(12, note).unwrap().failure_reason.unwrap();
        assert_eq!(reason, format!("part 1 of 2 is missing; only {} exists", part(12, 2)));
    });
}

#[test]
fn a_run_that_has_ended_here_stays_so() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let note = note_on(fixture, 12, true, None);
        let step = fixture.advance_knowing(12, note).unwrap();
        assert_eq!((step.again_in, step.backup.state), (None, BackupState::Incomplete));
        assert_eq!(fixture.names(), [part(12, 1)]);
    });
}

#[test]
fn what_is_not_ours_is_not_gone_on_with() {
    on_every_engine(|fixture| {
        fixture.store_foreign(&part(12, 1), SnapshotState::Success);
        let backup = ends(fixture, 12, BackupState::Incomplete).backup;
        assert_eq!(backup.run_id, None);
    });
}

#[test]
fn a_backup_of_a_version_that_told_no_prefix_is_gone_on_with() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let [mut one] = fixture.snapshots().try_into().unwrap();
        one.metadata.as_mut().unwrap()["optimizeBackup"].as_object_mut().unwrap().remove("indexPrefix").unwrap();
        fixture.delete_behind_our_back(&part(12, 1));
        fixture.engine.store(REPOSITORY, one);
        assert_eq!(fixture.drive(12).state, BackupState::Complete);
    });
}

#[test]
fn a_backup_that_was_deleted_is_not_found() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        fixture.delete(12, None).unwrap();
        assert!(matches!(fixture.advance(12), Err(Error::BackupNotFound { .. })));
        assert!(fixture.names().is_empty());
    });
}

#[test]
fn parts_of_different_runs_are_no_backup() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 1, SnapshotState::Success, "run-1");
        fixture.store_ours(12, 2, SnapshotState::Success, "run-2");
        let reason = ends(fixture, 12, BackupState::Failed).backup.failure_reason.unwrap();
        assert!(reason.contains("different runs"), "{reason}");
    });
}

#[test]
fn what_the_host_remembers_of_an_earlier_run_of_that_number_is_not_about_this_one() {
    on_every_engine(|fixture| {
        with_part_one(fixture);
        let note =
            RunNote { run_id: "deleted-since".to_owned(), ..note_on(fixture, 12, true, Some("refused".to_owned())) };
        let step = fixture.advance_knowing(12, note).unwrap();
        assert!(step.again_in.is_some());
        assert_eq!(fixture.names(), [part(12, 1), part(12, 2)]);
    });
}

/// What a host remembers of the run that made a backup.
fn note_on(fixture: &Fixture, id: u64, ended: bool, refusal: Option<String>) -> RunNote {
    let backup = fixture.get(id).unwrap();
    let run_id = backup.snapshots.first().and_then(|snapshot| snapshot.run_id()).unwrap().to_owned();
    RunNote { backup_id: backup.id, run_id, ended, refusal, awaited: None }
}
