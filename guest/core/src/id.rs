use std::fmt;
use std::num::NonZeroU64;

use crate::text::excerpt;

/// A backup's number: 1 to 9223372036854775807, the positive half of what Optimize stores as a `long`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupId(NonZeroU64);

/// Why a text is not a [`BackupId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBackupId {
    /// There is no text.
    #[error("the backup id is empty; send an integer from 1 to {max}", max = BackupId::MAX)]
    Empty,
    /// Something else than digits: a sign, a blank, a fraction, an exponent, a letter.
    #[error("the backup id '{0}' is not an integer written in digits only; send an integer from 1 to {max}", max = BackupId::MAX)]
    NotDigits(String),
    /// `007`: two spellings of one number would name two different sets of snapshots.
    #[error("the backup id '{0}' has a leading zero; write it without")]
    LeadingZero(String),
    /// Zero.
    #[error("the backup id 0 is not positive; send an integer from 1 to {max}", max = BackupId::MAX)]
    Zero,
    /// Over [`BackupId::MAX`].
    #[error("the backup id '{0}' is too large; the largest is {max}", max = BackupId::MAX)]
    TooLarge(String),
}

impl BackupId {
    /// The largest number: Java's `Long.MAX_VALUE`.
    pub const MAX: u64 = i64::MAX as u64;

    /// Reads a number from digits: no sign, no blank, no leading zero.
    ///
    /// # Errors
    /// Says which of these rules the text breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidBackupId> {
        if text.is_empty() {
            return Err(InvalidBackupId::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidBackupId::NotDigits(quoted(text)));
        }
        if text == "0" {
            return Err(InvalidBackupId::Zero);
        }
        if text.starts_with('0') {
            return Err(InvalidBackupId::LeadingZero(quoted(text)));
        }
        text.parse().ok().and_then(Self::new).ok_or_else(|| InvalidBackupId::TooLarge(quoted(text)))
    }

    /// A number as an id; `None` outside of 1 to [`BackupId::MAX`].
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).filter(|number| number.get() <= Self::MAX).map(Self)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// For messages: the caller may have sent megabytes, or line breaks.
fn quoted(text: &str) -> String {
    excerpt(text, 40)
}

#[cfg(test)]
mod tests {
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
}
