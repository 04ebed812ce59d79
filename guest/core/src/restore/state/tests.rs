use super::*;
use crate::SnapshotName;
use crate::restore::{Primary, ShardState};

const PART: &str = "camunda_optimize_7_8.6.0_part_2_of_2";

fn recovery(is_from_copy: bool, is_done: bool) -> Recovery {
    let snapshot = (!is_from_copy).then(|| ("backups".to_owned(), PART.to_owned()));
    Recovery { snapshot, is_from_copy, is_done, ..Recovery::default() }
}

/// The state of an index with one started primary shard, which was begun to be restored.
fn state(recoveries: Vec<Recovery>) -> IndexState {
    let shard = Primary { state: ShardState::Started, is_lost: false, is_faulty: false, details: String::new() };
    let found = Found {
        uuid: "index".to_owned(),
        mark: Some(Mark::Begun("snapshot".to_owned())),
        primaries: vec![shard],
        recoveries,
        ..Found::default()
    };
    let target = Target {
        part: Part::Two,
        index: "optimize-settings_v3".to_owned(),
        name: "optimize-settings_v3".to_owned(),
        snapshot_uuid: "snapshot".to_owned(),
        snapshot: SnapshotName::parse(PART).unwrap(),
    };
    IndexState::of(&target, Some(&found), None, &RepositoryName::parse("backups").unwrap())
}

#[test]
fn a_shard_that_is_moved_to_another_node_is_not_lost() {
    assert_eq!(state(vec![recovery(false, true)]), IndexState::Arrived);
    // The engine calls both of them primary while one takes the place of the other.
    assert_eq!(state(vec![recovery(false, true), recovery(true, false)]), IndexState::Restoring);
    assert_eq!(state(vec![recovery(false, true), recovery(true, true)]), IndexState::Restoring);
    assert_eq!(state(vec![recovery(true, false)]), IndexState::Restoring);
    assert_eq!(state(vec![recovery(true, true)]), IndexState::Arrived);
}

#[test]
fn a_shard_that_was_started_from_nobody_knows_what_is_lost() {
    let other = Recovery { snapshot: None, is_from_copy: false, ..recovery(false, true) };
    assert_eq!(state(vec![other]), IndexState::Lost);
}
