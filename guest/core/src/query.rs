//! Which backups a list has.

use std::fmt;
use std::num::NonZeroU16;

use crate::text::excerpt;
use crate::{BackupId, InvalidBackupId, NAME_PREFIX, SnapshotName};

/// Which backups a list has, and how much it tells of them. The default is everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Those whose IDs match.
    pub pattern: IdPattern,
    /// Of these, those below this one.
    pub before: Option<BackupId>,
    /// Of these, only so many, the largest IDs.
    pub limit: Option<PageLimit>,
    /// `false`: without what is only in the metadata of snapshots that the engine lists as successful.
    pub verbose: bool,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self { pattern: IdPattern::All, before: None, limit: None, verbose: true }
    }
}

impl ListQuery {
    /// Whether a backup may be in the list.
    #[must_use]
    pub fn matches(&self, id: BackupId) -> bool {
        self.pattern.matches(id) && self.before.is_none_or(|before| id < before)
    }
}

/// Which IDs match, as text: `7`, `2026*` or `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdPattern {
    /// Every ID.
    All,
    /// Those whose digits start with the digits of this one.
    StartsWith(BackupId),
    /// This one.
    Exactly(BackupId),
}

/// How many backups a page has at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit(NonZeroU16);

/// Why a text is not a parameter of a list.
#[allow(missing_docs, reason = "each case is explained by its message")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidListQuery {
    #[error("the pattern '{text}' matches no backup id ({reason}); send digits, with an optional * at the end")]
    Pattern { text: String, reason: InvalidBackupId },
    #[error("the limit '{0}' is not an integer from 1 to {max}", max = PageLimit::MAX)]
    Limit(String),
    #[error("before is wrong: {0}")]
    Before(InvalidBackupId),
}

impl IdPattern {
    /// Reads a pattern: digits, with an optional `*` at the end.
    ///
    /// # Errors
    /// If no ID can match it, as with a leading zero.
    pub fn parse(text: &str) -> Result<Self, InvalidListQuery> {
        let parse = |digits| {
            BackupId::parse(digits).map_err(|reason| InvalidListQuery::Pattern { text: excerpt(text, 40), reason })
        };
        match text.strip_suffix('*') {
            Some("") => Ok(Self::All),
            Some(digits) => parse(digits).map(Self::StartsWith),
            None => parse(text).map(Self::Exactly),
        }
    }

    /// Whether an ID matches.
    #[must_use]
    pub fn matches(self, id: BackupId) -> bool {
        match self {
            Self::All => true,
            Self::StartsWith(digits) => id.starts_with(digits),
            Self::Exactly(only) => id == only,
        }
    }

    /// The expression that finds the snapshots of all backups that match, and perhaps others.
    #[must_use]
    pub fn snapshot_pattern(self) -> String {
        match self {
            Self::Exactly(id) => SnapshotName::pattern(id),
            Self::StartsWith(_) | Self::All => format!("{NAME_PREFIX}{self}"),
        }
    }
}

/// As it is parsed.
impl fmt::Display for IdPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::StartsWith(digits) => write!(f, "{digits}*"),
            Self::Exactly(id) => id.fmt(f),
        }
    }
}

impl PageLimit {
    /// The largest page. The engine is asked for each backup of a page by its ID, some 70 in a request, and a host
    /// allows a call no more than 64 requests.
    pub const MAX: u16 = 1000;

    /// A number as a limit; `None` outside of 1 to [`PageLimit::MAX`].
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        let number = u16::try_from(number).ok().filter(|&number| number <= Self::MAX)?;
        NonZeroU16::new(number).map(Self)
    }

    /// Reads a limit from digits.
    ///
    /// # Errors
    /// If it is not a number from 1 to [`PageLimit::MAX`].
    pub fn parse(text: &str) -> Result<Self, InvalidListQuery> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|_| is_number).and_then(Self::new);
        limit.ok_or_else(|| InvalidListQuery::Limit(excerpt(text, 40)))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> usize {
        self.0.get().into()
    }
}

impl From<PageLimit> for u32 {
    fn from(limit: PageLimit) -> Self {
        limit.0.get().into()
    }
}

impl fmt::Display for PageLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
