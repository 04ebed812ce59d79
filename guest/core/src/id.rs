use std::fmt;
use std::num::NonZeroU64;

use crate::text::excerpt;

/// A backup's number: 1 to 9223372036854775807, the positive half of what Optimize stores as a `long`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupId(NonZeroU64);

/// Why a text is not a [`BackupId`].
#[allow(missing_docs, reason = "each case is explained by its message")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBackupId {
    #[error("the backup id is empty; send an integer from 1 to {max}", max = BackupId::MAX)]
    Empty,
    #[error("the backup id '{0}' is not an integer written in digits only; send an integer from 1 to {max}", max = BackupId::MAX)]
    NotDigits(String),
    #[error("the backup id '{0}' has a leading zero; write it without")]
    LeadingZero(String),
    #[error("the backup id 0 is not positive; send an integer from 1 to {max}", max = BackupId::MAX)]
    Zero,
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

    /// Whether its digits start with all the digits of another one.
    #[must_use]
    pub(crate) fn starts_with(self, other: Self) -> bool {
        let surplus = self.get().ilog10().checked_sub(other.get().ilog10());
        surplus.is_some_and(|surplus| self.get() / 10_u64.pow(surplus) == other.get())
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
mod tests;
