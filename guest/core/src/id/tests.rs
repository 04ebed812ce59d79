use proptest::prelude::*;

use super::*;

#[test]
fn accepts_the_whole_range() {
    assert_eq!(BackupId::parse("1").unwrap().get(), 1);
    assert_eq!(BackupId::parse("9223372036854775807").unwrap().get(), BackupId::MAX);
}

#[test]
fn says_which_rule_is_broken() {
    use InvalidBackupId::*;
    let not_digits = |text: &str| NotDigits(text.to_owned());
    for (text, expected) in [
        ("", Empty),
        ("0", Zero),
        ("007", LeadingZero("007".to_owned())),
        ("00", LeadingZero("00".to_owned())),
        ("-1", not_digits("-1")),
        ("+1", not_digits("+1")),
        (" 1", not_digits(" 1")),
        ("1.5", not_digits("1.5")),
        ("1e3", not_digits("1e3")),
        ("12a", not_digits("12a")),
        ("null", not_digits("null")),
        ("١٢", not_digits("١٢")),
        ("1\n2", not_digits("1\\n2")),
        ("9223372036854775808", TooLarge("9223372036854775808".to_owned())),
        ("99999999999999999999", TooLarge("99999999999999999999".to_owned())),
    ] {
        assert_eq!(BackupId::parse(text), Err(expected), "{text:?}");
    }
}

#[test]
fn quotes_only_the_beginning_of_a_long_text() {
    let message = BackupId::parse(&"x".repeat(100_000)).unwrap_err().to_string();
    assert!(message.len() < 200, "{message}");
}

proptest! {
    #[test]
    fn reads_what_it_writes(number in 1..=BackupId::MAX) {
        let id = BackupId::new(number).unwrap();
        prop_assert_eq!(BackupId::parse(&id.to_string()), Ok(id));
    }

    #[test]
    fn accepts_only_its_own_spelling(text in "\\PC{0,24}") {
        if let Ok(id) = BackupId::parse(&text) {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
