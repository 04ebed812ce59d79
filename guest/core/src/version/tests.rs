use super::*;

#[test]
fn is_written_in_lower_case() {
    assert_eq!(OptimizeVersion::parse("8.7.0-SNAPSHOT").unwrap().to_string(), "8.7.0-snapshot");
}

#[test]
fn refuses_what_a_name_cannot_hold() {
    for text in ["", "8_6", "8.6 ", "8/6", "8*", "ä", &"1".repeat(65)] {
        assert!(OptimizeVersion::parse(text).is_err(), "{text:?}");
    }
}
