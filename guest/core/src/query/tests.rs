use proptest::prelude::*;

use super::*;

fn id(number: u64) -> BackupId {
    BackupId::new(number).unwrap()
}

#[test]
fn a_pattern_is_digits_with_an_optional_star() {
    assert_eq!(IdPattern::parse("*"), Ok(IdPattern::All));
    assert_eq!(IdPattern::parse("2026*"), Ok(IdPattern::StartsWith(id(2026))));
    assert_eq!(IdPattern::parse("2026"), Ok(IdPattern::Exactly(id(2026))));
    for text in ["", "**", "2*6", "*6", "a*", "-1", " 1", "1 ", "0", "0*", "01", "1,2", "99999999999999999999*"] {
        assert!(matches!(IdPattern::parse(text), Err(InvalidListQuery::Pattern { .. })), "{text}");
    }
}

#[test]
fn the_search_engine_narrows_what_it_can() {
    for (pattern, expected) in
        [("*", "camunda_optimize_*"), ("2026*", "camunda_optimize_2026*"), ("2026", "camunda_optimize_2026_*")]
    {
        assert_eq!(IdPattern::parse(pattern).unwrap().snapshot_pattern(), expected);
    }
}

#[test]
fn a_limit_is_a_number_up_to_a_thousand() {
    for number in [1, 1000] {
        assert_eq!(PageLimit::parse(&number.to_string()).unwrap().get(), number);
    }
    for text in ["", "0", "1001", "+1", "-1", "1.0", "ten", "4294967297"] {
        assert_eq!(PageLimit::parse(text), Err(InvalidListQuery::Limit(text.to_owned())), "{text}");
    }
}

proptest! {
    #[test]
    fn an_id_starts_with_what_its_digits_start_with(number in 1..=BackupId::MAX, digits in 1..=BackupId::MAX, cut in 0_u32..19) {
        let digits = (digits / 10_u64.pow(cut)).max(1);
        let prefix = (number / 10_u64.pow(cut)).max(1);
        for start in [digits, prefix] {
            let expected = number.to_string().starts_with(&start.to_string());
            prop_assert_eq!(IdPattern::StartsWith(id(start)).matches(id(number)), expected);
        }
    }

    #[test]
    fn a_pattern_is_written_as_it_is_read(text in "[1-9][0-9]{0,10}\\*?") {
        prop_assert_eq!(IdPattern::parse(&text).unwrap().to_string(), text);
    }
}
