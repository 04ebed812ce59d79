use proptest::prelude::*;

use super::*;

fn read_text(body: &str) -> Result<Listing, Error> {
    let repository = RepositoryName::parse("backups").unwrap();
    read(&Request::repository(&repository), body, &repository)
}

#[test]
fn one_senseless_entry_hides_no_other() {
    let listing = read_text(
        r#"{"snapshots":[
            {"snapshot":"camunda_optimize_1_8.6.0_part_1_of_2","state":"SUCCESS","start_time_in_millis":"soon"},
            {"snapshot":"camunda_optimize_1_8.6.0_part_2_of_2","state":"DREAMING"},
            {"snapshot":"camunda_optimize_mine_8.1.0_part_1_of_2","state":7},
            {"state":"SUCCESS"}, 7, null,
            {"snapshot":"camunda_optimize_2_8.6.0_part_1_of_2","state":"SUCCESS","end_time_in_millis":5}
        ]}"#,
    )
    .unwrap();
    let states: Vec<_> = listing.snapshots.iter().map(|snapshot| snapshot.state).collect();
    assert_eq!(states, [SnapshotState::Unreadable, SnapshotState::Unreadable, SnapshotState::Success]);
    assert_eq!(listing.foreign, 4);
}

#[test]
fn an_entry_is_read_however_it_is_written() {
    let listing = read_text(
        r#" {"total": 3, "snapshots": [
            {"uuid":"u\u0031","metadata":["daily"],"snapshot":"camunda_optimize_1_8.6.0_p\u0061rt_1_of_2","sta\u0074e":"SUCC\u0045SS","indices":[{}]},
            {"uuid":7,"metadata":null,"snapshot":"camunda_optimize_2_8.6.0_part_1_of_2","state":"SUCCESS"},
            {"uuid":"u3","snapshot":"camunda_optimize_3_8.6.0_part_1_of_2","state":null},
            ["camunda_optimize_4_8.6.0_part_1_of_2",null,"SUCCESS",null,null,null,null,null,[],null]
        ]} "#,
    )
    .unwrap();
    let read = |snapshot: &Snapshot| (snapshot.name.backup_id.get(), snapshot.state, snapshot.uuid.clone());
    let expected = [
        (1, SnapshotState::Success, Some("u1".to_owned())),
        (2, SnapshotState::Success, None),
        (3, SnapshotState::Unreadable, Some("u3".to_owned())),
    ];
    assert_eq!((listing.snapshots.iter().map(read).collect::<Vec<_>>(), listing.foreign), (expected.to_vec(), 1));
}

#[test]
fn nothing_filtered_is_nothing_there() {
    assert!(read_text("{}").unwrap().snapshots.is_empty());
}

#[test]
fn a_missing_repository_may_come_as_a_success() {
    let body = r#"{"snapshots":[],"failures":{"backups":{"type":"repository_missing_exception","reason":"[backups] missing"}}}"#;
    assert!(matches!(read_text(body), Err(Error::RepositoryMissing { .. })));
}

#[test]
fn what_is_no_list_is_an_error() {
    for body in ["", "<html>", "[]", "7", r#"{"snapshots":{}}"#, r#"{"snapshots":[{"snap"#] {
        assert!(matches!(read_text(body), Err(Error::EngineAnswerInvalid { .. })), "{body}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(body in "\\PC*") {
        let _ = read_text(&body);
    }
}
