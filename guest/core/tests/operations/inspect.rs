//! What is told of the backups that there are.

use backup_core::memory::{Damage, Dialect, Intercepted, StoredSnapshot};
use backup_core::{Backup, BackupState, ErrorKind, ListQuery, Snapshot, SnapshotState, operations};

use crate::fixture::{Fixture, OTHER_INDICES, REPOSITORY, on_every_engine, part};

/// Snapshots of one backup, by part and state. All are of one run.
type Parts = &'static [(u8, SnapshotState)];

#[test]
fn a_backup_is_what_its_snapshots_amount_to() {
    use BackupState::{Complete, Failed, InProgress, Incompatible, Incomplete};
    use SnapshotState as S;
    let table: &[(Parts, BackupState)] = &[
        (&[(1, S::Success), (2, S::Success)], Complete),
        (&[(1, S::InProgress)], InProgress),
        (&[(1, S::Success)], InProgress),
        (&[(1, S::Success), (2, S::InProgress)], InProgress),
        (&[(1, S::Failed)], Failed),
        (&[(1, S::Partial)], Failed),
        (&[(1, S::Success), (2, S::Partial)], Failed),
        (&[(1, S::Incompatible), (2, S::Success)], Incompatible),
        (&[(2, S::Success)], Incomplete),
        // The severest finding counts.
        (&[(1, S::Failed), (2, S::Incompatible)], Failed),
        (&[(1, S::Partial), (2, S::InProgress)], Failed),
        (&[(1, S::Incompatible), (2, S::InProgress)], Incompatible),
        (&[(2, S::InProgress)], InProgress),
    ];
    on_every_engine(|fixture| {
        for &(parts, expected) in table {
            parts.iter().for_each(|&(number, state)| fixture.store_ours(12, number, state, "run-1"));
            let backup = fixture.get(12).unwrap();
            assert_eq!(backup.state, expected, "{parts:?}");
            assert_eq!(fixture.list().unwrap().backups, std::slice::from_ref(&backup));
            let is_told = matches!(expected, Failed | Incompatible | Incomplete);
            assert_eq!(backup.failure_reason.is_some(), is_told, "{parts:?} {:?}", backup.failure_reason);
            fixture.delete(12, None).unwrap();
        }
    });
}

#[test]
fn more_snapshots_than_parts_are_a_failure() {
    on_every_engine(|fixture| {
        fixture.store_foreign(&part(12, 1), SnapshotState::Success);
        fixture.store_foreign(&part(12, 2), SnapshotState::Success);
        fixture.store_foreign("camunda_optimize_12_8.5.0_part_1_of_2", SnapshotState::Success);
        let backup = fixture.get(12).unwrap();
        assert_eq!(backup.state, BackupState::Failed);
        assert!(backup.failure_reason.unwrap().contains("camunda_optimize_12_8.5.0_part_1_of_2"));
    });
}

#[test]
fn one_that_somebody_else_began_is_incomplete_in_the_gap() {
    on_every_engine(|fixture| {
        fixture.store_foreign(&part(12, 1), SnapshotState::Success);
        let backup = fixture.get(12).unwrap();
        assert_eq!((backup.state, backup.run_id), (BackupState::Incomplete, None));
        fixture.store_foreign(&part(12, 2), SnapshotState::Success);
        assert_eq!(fixture.get(12).unwrap().state, BackupState::Complete);
    });
}

#[test]
fn failures_name_index_shard_node_and_reason() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 1, SnapshotState::Partial, "run-1");
        let backup = fixture.get(12).unwrap();
        let line = format!("[{}][0] on no node: primary shard is not allocated", OTHER_INDICES[0]);
        assert_eq!(backup.snapshots[0].failures, std::slice::from_ref(&line));
        assert!(backup.failure_reason.unwrap().contains(&line));
    });
}

#[test]
fn one_that_a_newer_engine_wrote_is_incompatible() {
    on_every_engine(|fixture| {
        for number in [1, 2] {
            let snapshot = StoredSnapshot::new(&part(12, number), SnapshotState::Success, fixture.engine.now());
            fixture.engine.store(REPOSITORY, StoredSnapshot { version_id: Some(150_000_000), ..snapshot });
        }
        let backup = fixture.get(12).unwrap();
        assert_eq!(backup.state, BackupState::Incompatible);
        let reason = backup.failure_reason.unwrap();
        assert!(reason.contains(&part(12, 1)) && reason.contains(&part(12, 2)), "{reason}");
    });
}

#[test]
fn times_and_details_are_in_the_order_of_parts() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 2, SnapshotState::InProgress, "run-1");
        fixture.store_ours(12, 1, SnapshotState::Success, "run-1");
        let backup = fixture.get(12).unwrap();
        let now = Some(fixture.engine.now());
        let told: Vec<_> = backup.snapshots.iter().map(|it| (it.name.to_string(), it.started, it.ended)).collect();
        assert_eq!(told, [(part(12, 1), now, now), (part(12, 2), now, None)]);
        assert_eq!(backup.run_id.as_deref(), Some("run-1"));
    });
}

#[test]
fn the_largest_number_comes_first() {
    on_every_engine(|fixture| {
        let largest = 9_223_372_036_854_775_807;
        for id in [9, 100, 20, largest, 1] {
            fixture.store_ours(id, 1, SnapshotState::Success, "run-1");
        }
        let ids: Vec<u64> = fixture.list().unwrap().backups.iter().map(|backup| backup.id.get()).collect();
        assert_eq!(ids, [largest, 100, 20, 9, 1]);
    });
}

#[test]
fn other_peoples_snapshots_are_left_out_and_counted() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 1, SnapshotState::Success, "run-1");
        for name in [
            "camunda_optimize_nightly_8.1.0_part_1_of_2",
            "camunda_optimize_99999999999999999999_8.6.0_part_1_of_2",
            "camunda_optimize_12",
        ] {
            fixture.store_foreign(name, SnapshotState::Success);
        }
        // The pattern does not even find this one.
        fixture.store_foreign("nightly-1", SnapshotState::Success);
        let list = fixture.list().unwrap();
        assert_eq!((list.backups.len(), list.foreign), (1, 3));
    });
}

#[test]
fn an_empty_repository_has_no_backups() {
    on_every_engine(|fixture| {
        assert_eq!(fixture.list().unwrap().backups, []);
        assert_eq!(fixture.engine.requests().len(), 1);
        let error = fixture.get(12).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, "backupNotFound"));
    });
}

#[test]
fn a_number_is_not_found_by_one_that_begins_with_it() {
    on_every_engine(|fixture| {
        fixture.store_ours(123, 1, SnapshotState::Success, "run-1");
        assert_eq!(fixture.get(12).unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_damaged_snapshot_hides_no_other() {
    for damage in [Damage::Missing, Damage::Unreadable] {
        on_every_engine(|fixture| {
            for id in [11, 12, 13] {
                fixture.store_ours(id, 1, SnapshotState::Success, "run-1");
                fixture.store_ours(id, 2, SnapshotState::Success, "run-1");
            }
            fixture.engine.damage(&part(12, 2), Some(damage));
            fixture.engine.damage(&part(13, 1), Some(damage));
            fixture.store_foreign("camunda_optimize_x", SnapshotState::Success);
            fixture.engine.damage("camunda_optimize_x", Some(damage));
            let list = fixture.list().unwrap();
            let states: Vec<_> = list.backups.iter().map(|backup| (backup.id.get(), backup.state)).collect();
            let expected = [(13, BackupState::Failed), (12, BackupState::Failed), (11, BackupState::Complete)];
            assert_eq!((states.as_slice(), list.foreign), (&expected[..], 1));
            expect_unreadable(&list.backups[0].snapshots[0], &part(13, 1));
            expect_unreadable(&fixture.get(12).unwrap().snapshots[1], &part(12, 2));
            assert_eq!(fixture.get(12).unwrap().snapshots[0].state, SnapshotState::Success);
        });
    }
}

/// Each snapshot is looked up in sets: ten thousand times ten thousand comparisons of names would not end in a sandbox.
/// A storage that is not mounted: the engine still knows all names.
#[test]
fn many_unreadable_snapshots_are_told_as_a_storage_that_is_away() {
    on_every_engine(|fixture| {
        for (id, number) in [(11, 1), (11, 2), (12, 1), (12, 2)] {
            fixture.store_ours(id, number, SnapshotState::Success, "run-1");
        }
        fixture.engine.damage(&part(12, 2), Some(Damage::Missing));
        let reason = |backup: &Backup| backup.failure_reason.clone().unwrap();
        for backup in [&fixture.get(12).unwrap(), &fixture.list().unwrap().backups[0]] {
            assert!(reason(backup).contains("; before you delete it, which cannot be undone, look"), "{backup:?}");
        }
        for (id, number) in [(11, 1), (11, 2), (12, 1)] {
            fixture.engine.damage(&part(id, number), Some(Damage::Missing));
        }
        for backup in &fixture.list().unwrap().backups {
            assert!(reason(backup).contains("4 of the 4 snapshots that were looked at cannot be read"), "{backup:?}");
            assert!(reason(backup).ends_with("bring it back, and delete nothing until then"), "{backup:?}");
        }
        assert!(reason(&fixture.get(11).unwrap()).contains("2 of the 2 snapshots"));
    });
}

#[test]
fn one_damaged_snapshot_hides_none_of_ten_thousand() {
    let fixture = Fixture::new(Dialect::Elasticsearch8_19);
    for id in 1..=5_000 {
        fixture.store_ours(id, 1, SnapshotState::Success, "run-1");
        fixture.store_ours(id, 2, SnapshotState::Success, "run-1");
    }
    fixture.engine.damage(&part(2_500, 2), Some(Damage::Missing));
    let backups = fixture.list().unwrap().backups;
    let (damaged, sound): (Vec<_>, Vec<_>) = backups.iter().partition(|backup| backup.id.get() == 2_500);
    assert_eq!((damaged.len(), sound.len()), (1, 4_999));
    assert_eq!(damaged[0].state, BackupState::Failed);
    expect_unreadable(&damaged[0].snapshots[1], &part(2_500, 2));
    assert!(sound.iter().all(|backup| backup.state == BackupState::Complete && backup.snapshots.len() == 2));
}

fn expect_unreadable(snapshot: &Snapshot, name: &str) {
    assert_eq!((snapshot.state, snapshot.started), (SnapshotState::Unreadable, None));
    assert_eq!(snapshot.name.to_string(), name);
    let reason = snapshot.reason.as_deref().unwrap();
    assert!(reason.starts_with("its metadata cannot be read"), "{reason}");
    assert!(!reason.contains("part_") || reason.contains(name), "it explains another one: {reason}");
}

#[test]
fn one_that_is_deleted_while_a_damaged_repository_is_read_is_not_damaged() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 1, SnapshotState::Success, "run-1");
        fixture.store_ours(13, 1, SnapshotState::Success, "run-2");
        fixture.engine.damage(&part(12, 1), Some(Damage::Missing));
        let engine = Intercepted::new(&fixture.engine, |request| {
            if request.query.iter().any(|(name, _)| name == "ignore_unavailable") {
                fixture.delete_behind_our_back(&part(13, 1));
            }
            None
        });
        let list = operations::list(&engine, &fixture.context("-"), &ListQuery::default()).unwrap();
        let ids: Vec<u64> = list.backups.iter().map(|backup| backup.id.get()).collect();
        assert_eq!(ids, [12]);
    });
}

#[test]
fn a_damaged_snapshot_beside_a_running_one_hides_neither() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 1, SnapshotState::Success, "run-1");
        fixture.store_ours(13, 1, SnapshotState::InProgress, "run-2");
        fixture.engine.damage(&part(12, 1), Some(Damage::Missing));
        let list = fixture.list().unwrap();
        let states: Vec<_> = list.backups.iter().map(|backup| backup.state).collect();
        assert_eq!(states, [BackupState::InProgress, BackupState::Failed]);
    });
}

#[test]
fn nothing_is_written() {
    let fixture = Fixture::new(Dialect::Elasticsearch8_19);
    fixture.store_ours(12, 1, SnapshotState::Success, "run-1");
    fixture.get(12).unwrap();
    fixture.list().unwrap();
    assert!(fixture.writes().is_empty());
}
