use backup_actuator::PartProgressView;

use super::*;

/// A backup in part 2.
pub(in super::super) fn figures(percent: f64) -> ProgressView {
    let bytes = Some(ByteCount { total: 3 << 30, done: 5 << 28 });
    let shards = Some(ShardCount { total: 32, done: 12, failed: 0 });
    let part = |part: u8, state: &'static str| PartProgressView {
        part,
        snapshot_name: format!("camunda_optimize_7_8.8.0_part_{part}_of_2"),
        state: state.into(),
        bytes,
        shards,
    };
    ProgressView {
        backup_id: 7,
        state: "IN_PROGRESS".into(),
        percent,
        bytes,
        shards,
        start_time: None,
        elapsed_seconds: Some(90),
        remaining_seconds: Some(125),
        parts: vec![part(1, "SUCCESS"), part(2, "IN_PROGRESS")],
    }
}

#[test]
fn the_first_columns_are_the_most_important() {
    assert_eq!(in_full(&figures(42.0)), "42.0 %, 2 minutes left, 1.25 GiB of 3.00 GiB, 12 of 32 shards, part 2 of 2");
    assert_eq!(brief(&figures(42.19)), "42 % 2m left 1.25 GiB of 3.00 GiB");
    assert!(brief(&figures(99.9)).starts_with("99 %"), "it is not at its end");
    assert!(brief(&figures(99.9)).len() <= 38, "on a terminal of 40 columns");
}

#[test]
fn what_is_not_known_is_left_out() {
    let unknown =
        ProgressView { bytes: None, shards: None, remaining_seconds: None, parts: Vec::new(), ..figures(0.0) };
    assert_eq!((in_full(&unknown), brief(&unknown)), ("0.0 %".to_owned(), "0 %".to_owned()));
    let failed = ProgressView { shards: Some(ShardCount { total: 3, done: 1, failed: 2 }), ..unknown };
    assert_eq!(in_full(&failed), "0.0 %, 1 of 3 shards, 2 failed");
}
