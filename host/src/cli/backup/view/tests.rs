use backup_actuator::SnapshotView;

use super::*;

fn snapshot(part: u8, state: &'static str) -> SnapshotView {
    SnapshotView {
        snapshot_name: format!("camunda_optimize_1764251289_8.6.0_part_{part}_of_2"),
        state: state.into(),
        start_time: Some(format!("2026-11-27T10:11:3{part}.978+0100")),
        failures: Vec::new(),
    }
}

fn complete() -> BackupView {
    BackupView {
        backup_id: 1_764_251_289,
        failure_reason: None,
        state: "COMPLETE".into(),
        details: vec![snapshot(1, "SUCCESS"), snapshot(2, "SUCCESS")],
    }
}

/// As a server without rules might answer: nothing but a reason, with control characters.
fn failed() -> BackupView {
    BackupView {
        backup_id: 7,
        failure_reason: Some("a shard\tfailed\nand \u{1b}[31mmore".to_owned()),
        state: "FAILED".into(),
        details: Vec::new(),
    }
}

#[test]
fn a_line_has_five_columns_with_tabs_in_between() {
    assert_eq!(line(&complete()), "1764251289\tCOMPLETE\t2026-11-27T10:11:31.978+0100\t8.6.0\t-");
    assert_eq!(line(&failed()), "7\tFAILED\t-\t-\ta shard failed and  [31mmore");
}

#[test]
fn a_table_has_a_row_for_each_backup() {
    let expected = "\
ID          STATE     STARTED                    OPTIMIZE
1764251289  COMPLETE  2026-11-27 10:11:31 +0100  8.6.0
7           FAILED";
    assert_eq!(table(&[complete(), failed()], 80), expected);
}

/// The time is wrapped, and the version left out.
#[test]
fn a_table_fits_into_40_columns() {
    let mut incompatible = complete();
    incompatible.state = "INCOMPATIBLE".into();
    let expected = "\
ID          STATE         STARTED
1764251289  INCOMPATIBLE  2026-11-27
                          10:11:31 +0100
7           FAILED";
    assert_eq!(table(&[incompatible, failed()], 40), expected);
}

#[test]
fn one_backup_is_shown_with_its_snapshots() {
    let expected = "\
Backup       1764251289
State        COMPLETE
Optimize     8.6.0
part 1 of 2  SUCCESS, started 2026-11-27 10:11:31 +0100
             camunda_optimize_1764251289_8.6.0_part_1_of_2
part 2 of 2  SUCCESS, started 2026-11-27 10:11:32 +0100
             camunda_optimize_1764251289_8.6.0_part_2_of_2";
    assert_eq!(fields(&complete(), 80), expected);
}

#[test]
fn one_backup_fits_into_40_columns() {
    let mut backup = complete();
    backup.failure_reason = Some("part 2 of 2 is missing, and this server will not make it".to_owned());
    let text = fields(&backup, 40);
    assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    assert!(text.contains("Reason       part 2 of 2 is missing, and\n"), "{text}");
}

#[test]
fn both_words_for_a_complete_backup_are_known() {
    for (state, expected) in [
        ("COMPLETE", Progression::Restorable),
        ("COMPLETED", Progression::Restorable),
        ("IN_PROGRESS", Progression::Ongoing),
        ("FAILED", Progression::EndedBadly),
        ("INCOMPLETE", Progression::EndedBadly),
        ("INCOMPATIBLE", Progression::EndedBadly),
    ] {
        assert_eq!(progression(&BackupView { state: state.into(), ..complete() }), expected, "{state}");
    }
}

#[test]
fn the_parts_are_told_with_their_states() {
    let backup = BackupView { details: vec![snapshot(1, "SUCCESS"), snapshot(2, "IN_PROGRESS")], ..complete() };
    assert_eq!(parts(&backup), "part 1 of 2 SUCCESS, part 2 of 2 IN_PROGRESS");
}

#[test]
fn a_question_names_what_it_is_about() {
    assert_eq!(summary(&complete()), "1764251289 (COMPLETE, started 2026-11-27 10:11:31 +0100)");
    assert_eq!(summary(&failed()), "7 (FAILED)");
}
