use proptest::prelude::*;

use super::*;

fn minutes_of(cron: &str, year: i16, month: i8, day: i8) -> Vec<String> {
    let date = Date::new(year, month, day).unwrap();
    Cron::parse(cron).unwrap().on(date).map(|minute| format!("{:02}:{:02}", minute.hour(), minute.minute())).collect()
}

/// Whether it is due on days of March 2027, of which the first is a Monday.
fn days_of(cron: &str) -> Vec<i8> {
    (1..=31).filter(|&day| !minutes_of(cron, 2027, 3, day).is_empty()).collect()
}

#[test]
fn minutes_and_hours() {
    for (cron, expected) in [
        ("30 3 * * *", &["03:30"][..]),
        ("0 1,13 * * *", &["01:00", "13:00"]),
        ("5-7 23 * * *", &["23:05", "23:06", "23:07"]),
        ("*/20 4 * * *", &["04:00", "04:20", "04:40"]),
        ("45/10 4 * * *", &["04:45", "04:55"]),
        ("0 8-20/6 * * *", &["08:00", "14:00", "20:00"]),
        ("59,0 0 * * *", &["00:00", "00:59"]),
        ("@daily", &["00:00"]),
        (" @MIDNIGHT ", &["00:00"]),
    ] {
        assert_eq!(minutes_of(cron, 2026, 11, 27), expected, "{cron}");
    }
    assert_eq!(minutes_of("* * * * *", 2026, 11, 27).len(), 24 * 60);
    assert_eq!(minutes_of("@hourly", 2026, 11, 27).len(), 24);
}

#[test]
fn days() {
    assert_eq!(days_of("0 0 * * *").len(), 31);
    assert_eq!(days_of("0 0 31 * *"), [31]);
    assert_eq!(days_of("0 0 * * 1"), [1, 8, 15, 22, 29]);
    assert_eq!(days_of("0 0 * * mon"), [1, 8, 15, 22, 29]);
    assert_eq!(days_of("0 0 * * sat,7"), [6, 7, 13, 14, 20, 21, 27, 28]);
    assert_eq!(days_of("0 0 * * SUN"), days_of("0 0 * * 7"));
    assert_eq!(days_of("0 0 * * 5-7"), [5, 6, 7, 12, 13, 14, 19, 20, 21, 26, 27, 28]);
    assert_eq!(days_of("0 0 2 * 1"), [1, 2, 8, 15, 22, 29], "either, if both are restricted");
    assert_eq!(days_of("0 0 */15 * 1"), [1, 8, 15, 16, 22, 29, 31], "a star with a step is a restriction");
    assert_eq!(days_of("0 0 * feb *"), [] as [i8; 0]);
    assert_eq!(days_of("0 0 */10 jan-MAR *"), [1, 11, 21, 31]);
    assert_eq!(days_of("@weekly"), [7, 14, 21, 28]);
    assert_eq!(days_of("@monthly"), [1]);
}

#[test]
fn what_is_no_expression_is_told() {
    for text in ["", "@reboot", "0 3 * *", "0 0 3 * * *", "daily"] {
        assert!(matches!(Cron::parse(text), Err(InvalidCron::Form(_))), "{text}");
    }
    for (text, field) in [
        ("60 3 * * *", "minute"),
        ("-1 3 * * *", "minute"),
        ("+1 3 * * *", "minute"),
        ("0 24 * * *", "hour"),
        ("0 5-3 * * *", "hour"),
        ("0 */0 * * *", "hour"),
        ("0 3 0 * *", "day of the month"),
        ("0 3 L * *", "day of the month"),
        ("0 3 ? * *", "day of the month"),
        ("0 3 * 13 *", "month"),
        ("0 3 * mai *", "month"),
        ("0 3 * * 8", "day of the week"),
        ("0 3 1,, * *", "day of the month"),
    ] {
        let error = Cron::parse(text).unwrap_err();
        assert!(error.to_string().contains(&format!("is not the {field} of")), "{text}: {error}");
    }
    for text in ["0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
        assert!(matches!(Cron::parse(text), Err(InvalidCron::Never(_))), "{text}");
    }
    assert!(Cron::parse("0 0 29 2 *").is_ok());
    assert!(Cron::parse("0 0 30 2 1").is_ok(), "on Mondays in February");
}

proptest! {
    #[test]
    fn no_text_ends_it(text in "[-*/,0-9a-zA-Z@ ]{0,24}") {
        let _ = Cron::parse(&text);
    }
}
