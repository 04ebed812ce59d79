use backup_settings::CompleteState;
use jiff::tz::TimeZone;

use super::*;

fn part(part: u8, state: SnapshotState, bytes: Option<ByteCount>, shards: Option<ShardCount>) -> PartProgress {
    PartProgress { part, snapshot_name: format!("camunda_optimize_1_8.8.0_part_{part}_of_2"), state, bytes, shards }
}

fn running() -> BackupProgress {
    let shards = |total, done| Some(ShardCount { total, done, failed: 0 });
    BackupProgress {
        backup_id: 1,
        state: BackupState::InProgress,
        permille: 420,
        start_time: Some(1_667_985_096_978),
        elapsed: Some(65_999),
        remaining: Some(60_001),
        parts: vec![
            part(1, SnapshotState::Success, Some(ByteCount { total: 100, done: 100 }), shards(2, 2)),
            part(2, SnapshotState::InProgress, Some(ByteCount { total: 5000, done: 2000 }), shards(30, 10)),
        ],
    }
}

fn json(progress: BackupProgress, complete_state: CompleteState) -> String {
    let presentation = Presentation { complete_state, time_zone: TimeZone::UTC };
    serde_json::to_string(&ProgressView::new(progress, &presentation)).unwrap()
}

#[test]
fn what_is_done_of_all_parts_is_told() {
    let expected = concat!(
        r#"{"backupId":1,"state":"IN_PROGRESS","percent":42.0,"bytes":{"total":5100,"done":2100},"#,
        r#""shards":{"total":32,"done":12,"failed":0},"startTime":"2022-11-09T09:11:36.978+0000","#,
        r#""elapsedSeconds":65,"remainingSeconds":61,"parts":["#,
        r#"{"part":1,"snapshotName":"camunda_optimize_1_8.8.0_part_1_of_2","state":"SUCCESS","#,
        r#""bytes":{"total":100,"done":100},"shards":{"total":2,"done":2,"failed":0}},"#,
        r#"{"part":2,"snapshotName":"camunda_optimize_1_8.8.0_part_2_of_2","state":"IN_PROGRESS","#,
        r#""bytes":{"total":5000,"done":2000},"shards":{"total":30,"done":10,"failed":0}}]}"#
    );
    assert_eq!(json(running(), CompleteState::Completed), expected);
}

#[test]
fn what_is_not_known_is_null() {
    let unknown = BackupProgress {
        state: BackupState::Complete,
        permille: 1000,
        start_time: None,
        elapsed: None,
        remaining: None,
        parts: vec![part(1, SnapshotState::Success, None, None)],
        ..running()
    };
    let json = json(unknown, CompleteState::Completed);
    for told in [
        r#""state":"COMPLETED","percent":100.0,"bytes":null,"shards":null,"startTime":null"#,
        r#""elapsedSeconds":null,"remainingSeconds":null"#,
    ] {
        assert!(json.contains(told), "{json}");
    }
}
