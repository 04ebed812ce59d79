use std::fmt;
use std::time::Duration;

use crate::text::excerpt;
use crate::verification::scratch::{SCRATCH, SCRATCH_PREFIX, is_scratch};
use crate::{BackupId, EngineClock, Error, OptimizeVersion, RunNote, Timestamp};

/// Which search engine holds Optimize's data. Their snapshot APIs differ in details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Elasticsearch 7.17 and 8.x.
    Elasticsearch,
    /// OpenSearch 2.x.
    OpenSearch,
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "OpenSearch",
        })
    }
}

/// The name of a snapshot repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryName(String);

/// Why a text is not a [`RepositoryName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' cannot be a snapshot repository: the name must not hold blanks, control characters or any of , # * ? / \\ \" < > | %"
)]
pub struct InvalidRepositoryName(String);

impl RepositoryName {
    /// Reads a name. It must be one name: no wildcard and no list, which would reach other repositories.
    ///
    /// # Errors
    /// If it is empty or holds a character that has a meaning in the engine's paths.
    pub fn parse(text: &str) -> Result<Self, InvalidRepositoryName> {
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || ",#*?/\\\"<>|%".contains(c);
        let reserved = matches!(text, "" | "." | "..") || text.starts_with('_') || text.starts_with('-');
        if reserved || text.contains(forbidden) {
            return Err(InvalidRepositoryName(excerpt(text, 80)));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the names of all Optimize's indices start with, without the dash that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexPrefix(String);

/// Why a text is not an [`IndexPrefix`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' cannot be an index prefix: use lower-case letters, digits, '-', '_' and '.', starting with a letter or a digit, up to 200, and not {SCRATCH_PREFIX}, which verifications of backups use"
)]
pub struct InvalidIndexPrefix(String);

impl IndexPrefix {
    const MAX_BYTES: usize = 200;

    /// Reads a prefix such as `optimize`.
    ///
    /// # Errors
    /// If it is empty or could reach beyond Optimize's indices, as a wildcard would.
    pub fn parse(text: &str) -> Result<Self, InvalidIndexPrefix> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let allowed = |c: char| plain(c) || "-_.".contains(c);
        let prefix = Self(text.to_owned());
        let is_plain = text.len() <= Self::MAX_BYTES && text.starts_with(plain) && text.chars().all(allowed);
        if is_plain && !prefix.is_of_verifications() {
            return Ok(prefix);
        }
        Err(InvalidIndexPrefix(excerpt(text, 80)))
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// That of what verifications make in the cluster. No installation can have it.
    #[must_use]
    pub fn of_verifications() -> Self {
        Self(SCRATCH_PREFIX.to_owned())
    }

    /// That of the copies of this installation's indices that the verification of a backup makes.
    pub(crate) fn of_copies(&self, id: BackupId) -> Self {
        Self(format!("{SCRATCH}{id}-{self}"))
    }

    /// Whether only what a verification makes has it.
    pub(crate) fn is_of_verifications(&self) -> bool {
        self.0 == SCRATCH_PREFIX || is_scratch(&self.0)
    }

    /// The name of an index or alias without the prefix and its dash; `None` if it is not ours. What verifications have made
    /// is no installation's, whatever the name begins with.
    #[must_use]
    pub fn strip<'a>(&self, name: &'a str) -> Option<&'a str> {
        if is_scratch(name) && !self.is_of_verifications() {
            return None;
        }
        name.strip_prefix(&self.0)?.strip_prefix('-')
    }

    /// The prefixes with which this one begins, up to a dash: `a-b` → `a`. The pattern of each finds this one's indices.
    pub fn outer(&self) -> impl Iterator<Item = Self> + '_ {
        self.0
            .match_indices('-')
            .map(|(end, _)| self.0.get(..end).unwrap_or_default())
            .map(|outer| Self(outer.to_owned()))
    }
}

impl fmt::Display for IndexPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the operator configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The snapshot repository. `None`: every call is refused.
    pub repository: Option<RepositoryName>,
    /// What the names of all Optimize's indices start with.
    pub index_prefix: IndexPrefix,
    /// The version for snapshot names. `None`: the one in Optimize's metadata index.
    pub optimize_version: Option<OptimizeVersion>,
    /// Which search engine holds Optimize's data.
    pub engine: EngineKind,
    /// How long after the end of part 1 part 2 may still be started.
    pub resume_window: Duration,
}

/// The arguments of every operation besides the backup's ID.
#[derive(Clone, Debug)]
pub struct Context {
    /// What the operator configured.
    pub settings: Settings,
    /// The host's clock.
    pub now: Timestamp,
    /// The engine's clock. Operations ask for it where it matters.
    pub engine_clock: EngineClock,
    /// A new identity for each call: the snapshots that it writes carry it in their metadata.
    pub run_id: String,
    /// The host's name and version, for the snapshot's metadata.
    pub host: String,
    /// The host's notes on runs that it drove.
    pub notes: Vec<RunNote>,
}

impl Context {
    /// The configured repository.
    ///
    /// # Errors
    /// [`Error::RepositoryNotConfigured`] if there is none.
    pub fn repository(&self) -> Result<&RepositoryName, Error> {
        self.settings.repository.as_ref().ok_or(Error::RepositoryNotConfigured)
    }
}

#[cfg(test)]
mod tests;
