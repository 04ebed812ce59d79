use super::*;

#[test]
fn a_moment_as_people_read_it() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (1_735_689_599, "2024-12-31T23:59:59Z"),
        (1_795_787_572, "2026-11-27T13:52:52Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
    ] {
        assert_eq!(Timestamp(seconds * 1000 + 999).to_utc(), text);
    }
}

#[test]
fn a_span_as_in_settings() {
    for (millis, text) in [(600_000, "10m"), (90_000, "90s"), (1, "1ms"), (1_500, "1500ms")] {
        assert_eq!(span(Duration::from_millis(millis)), text);
    }
}

#[test]
fn a_long_span_has_its_largest_unit() {
    for (minutes, text) in [
        (1, "1 minute"),
        (119, "119 minutes"),
        (120, "2 hours"),
        (2_879, "47 hours"),
        (2_880, "2 days"),
        (1_440_000, "1000 days"),
    ] {
        assert_eq!(long_span(Duration::from_secs(minutes * 60)), text);
    }
}
