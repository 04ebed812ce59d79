use super::*;

#[test]
fn times_are_in_the_zone_of_the_host() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    assert_eq!(format_time(1_667_985_096_978, &berlin).unwrap(), "2022-11-09T10:11:36.978+0100");
    assert_eq!(format_time(1_667_985_096_000, &TimeZone::UTC).unwrap(), "2022-11-09T09:11:36.000+0000");
    assert_eq!(format_time(u64::MAX, &TimeZone::UTC), None);
}

/// As jiff writes them.
#[test]
fn times_have_leading_zeros_and_any_offset() {
    for zone in ["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia", "Africa/Monrovia"] {
        let zone = TimeZone::get(zone).unwrap();
        for millis in (0..60).map(|step| step * 83_333_333_337) {
            let moment = Timestamp::from_millisecond(millis).unwrap().to_zoned_datetime(zone.clone());
            let expected = moment.strftime("%Y-%m-%dT%H:%M:%S%.3f%z").to_string();
            // jiff writes the seconds that a few historical offsets have.
            assert_eq!(format_time(millis as u64, &zone).unwrap(), expected[..28]);
        }
    }
}

#[test]
fn a_backup_looks_as_camunda_documents_it() {
    let part = |number: u8, start_time: u64| Snapshot {
        snapshot_name: format!("camunda_optimize_123456_3.10.0_part_{number}_of_2"),
        state: SnapshotState::Success,
        start_time: Some(start_time),
        failures: Vec::new(),
    };
    let backup = Backup {
        backup_id: 123_456,
        state: BackupState::Complete,
        failure_reason: None,
        details: vec![part(1, 1_667_985_096_978), part(2, 1_667_985_097_178)],
    };
    let presentation =
        |complete_state| Presentation { complete_state, time_zone: TimeZone::fixed(jiff::tz::offset(1)) };
    let json = |complete_state| {
        serde_json::to_string(&BackupView::new(backup.clone(), &presentation(complete_state))).unwrap()
    };
    let expected = concat!(
        r#"{"backupId":123456,"failureReason":null,"state":"COMPLETE","details":["#,
        r#"{"snapshotName":"camunda_optimize_123456_3.10.0_part_1_of_2","state":"SUCCESS","#,
        r#""startTime":"2022-11-09T10:11:36.978+0100","failures":[]},"#,
        r#"{"snapshotName":"camunda_optimize_123456_3.10.0_part_2_of_2","state":"SUCCESS","#,
        r#""startTime":"2022-11-09T10:11:37.178+0100","failures":[]}]}"#
    );
    assert_eq!(json(CompleteState::Complete), expected);
    assert_eq!(json(CompleteState::Completed), expected.replace("\"COMPLETE\"", "\"COMPLETED\""));
}
