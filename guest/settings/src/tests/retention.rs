//! The settings of what the server does by itself.

use std::time::Duration;

use super::super::Settings;
use super::{error, load, variables};

#[test]
fn nothing_is_done_by_itself_unless_it_is_set() {
    let settings = load("", &[]).unwrap();
    assert!(settings.schedule.is_none() && settings.retention.is_empty());
}

#[test]
fn a_schedule_has_a_time_zone() {
    let shown = |yaml, environment| load(yaml, environment).unwrap().schedule.unwrap().to_string();
    assert_eq!(
        shown("backup: {schedule: {cron: '30 3 * * *', timeZone: Europe/Berlin}}", &[]),
        "30 3 * * * (Europe/Berlin)"
    );
    let variables = [
        ("CAMUNDA_OPTIMIZE_BACKUP_SCHEDULE_CRON", "@daily"),
        ("CAMUNDA_OPTIMIZE_BACKUP_SCHEDULE_TIME_ZONE", "america/new_york"),
    ];
    assert_eq!(shown("", &variables), "@daily (America/New_York)");
}

#[test]
fn the_rules_of_retention() {
    let rules = load("backup: {retention: {expireAfter: 30d, minCount: 5, maxCount: 50}}", &[]).unwrap().retention;
    assert_eq!(rules.expire_after(), Some(Duration::from_secs(30 * 24 * 60 * 60)));
    assert_eq!((rules.min_count().unwrap().get(), rules.max_count().unwrap().get()), (5, 50));
    for (text, hours) in [("2w", 14 * 24), ("36h", 36), ("1d 12h", 36), ("P1D", 24)] {
        let yaml = format!("backup: {{retention: {{expireAfter: {text}}}}}");
        assert_eq!(load(&yaml, &[]).unwrap().retention.expire_after(), Some(Duration::from_secs(hours * 60 * 60)));
    }
}

#[test]
fn faults_are_told() {
    for (yaml, line) in [
        (
            "backup: {schedule: {cron: '61 * * * *'}}",
            "backup.schedule.cron: '61' is not the minute of a cron expression: use 0 to 59, as in 1, 1-5, 1,3, * or */2",
        ),
        ("backup: {schedule: {cron: '0 0 30 2 *'}}", "backup.schedule.cron: '0 0 30 2 *' means a day that no year has"),
        (
            "backup: {schedule: {cron: '@daily', timeZone: Berlin}}",
            "backup.schedule.timeZone: 'Berlin' is not a time zone of the IANA database, such as Europe/Berlin",
        ),
        ("backup: {schedule: {cronn: '@daily'}}", "backup.schedule.cronn: is unknown: use cron, timeZone"),
        ("backup: {schedule: '@daily'}", "backup.schedule: must be a block of keys"),
        (
            "backup: {retention: {minCount: 3, maxCount: 2}}",
            "backup.retention.minCount: at least 3 backups are to stay, but at most 2: the former must not be larger",
        ),
        (
            "backup: {retention: {maxCount: 0}}",
            "backup.retention.maxCount: '0' is not a whole number from 1 to 4294967295",
        ),
        (
            "backup: {retention: {expireAfter: 1mo}}",
            "backup.retention.expireAfter: '1mo' is not an age such as 30d, 2w or 36h, greater than 0s and up to 36525d; months and years differ in length",
        ),
        (
            "backup: {retention: {expireAfter: 30}}",
            "backup.retention.expireAfter: '30' is not an age such as 30d, 2w or 36h, greater than 0s and up to 36525d; months and years differ in length",
        ),
    ] {
        assert_eq!(error(yaml, &[]), line, "{yaml}");
    }
}

#[test]
fn a_component_refuses_what_it_cannot_do_by_itself() {
    let environment =
        [("CAMUNDA_OPTIMIZE_BACKUP_SCHEDULE_CRON", "@daily"), ("CAMUNDA_OPTIMIZE_BACKUP_RETENTION_MAX_COUNT", "7")];
    let refused = Settings::load_in_component(variables(&environment)).unwrap_err().to_string();
    let why = "this component does only what it is asked for: let something else send a POST or a DELETE at that time";
    assert_eq!(refused, format!("backup.schedule.cron: {why}\nbackup.retention: {why}"));
}

#[test]
fn where_optimize_answers() {
    assert_eq!(load("", &[]).unwrap().optimize_url, None);
    let variables = [("CAMUNDA_OPTIMIZE_BACKUP_RESTORE_OPTIMIZE_URL", "http://optimize:8090/api")];
    assert_eq!(load("", &variables).unwrap().optimize_url.as_deref(), Some("http://optimize:8090/api"));
    for text in ["optimize:8090", "ftp://optimize", "http://", "http://:8090", "http://a:b@optimize", "http://a b"] {
        assert!(
            error(&format!("backup: {{restore: {{optimizeUrl: '{text}'}}}}"), &[])
                .contains("such as http://optimize:8090")
        );
    }
}
