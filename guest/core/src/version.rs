use std::fmt;

use crate::text::excerpt;

/// The version of Optimize that stands in a snapshot's name, in lower case as engines demand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OptimizeVersion(String);

/// Why a text is not an [`OptimizeVersion`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the version of Optimize '{0}' cannot stand in a snapshot's name: use up to 64 letters, digits, '.', '-' and '+'"
)]
pub struct InvalidOptimizeVersion(String);

impl OptimizeVersion {
    const MAX_BYTES: usize = 64;

    /// Reads a version such as `8.6.0` or `8.7.0-SNAPSHOT`.
    ///
    /// # Errors
    /// If it is empty, too long, or holds what a snapshot's name cannot (or `_`, which separates there).
    pub fn parse(text: &str) -> Result<Self, InvalidOptimizeVersion> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        if text.is_empty() || text.len() > Self::MAX_BYTES || !text.bytes().all(allowed) {
            return Err(InvalidOptimizeVersion(excerpt(text, Self::MAX_BYTES)));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Whether a text that can be parsed is the version's own spelling.
    pub(crate) fn is_canonical(text: &str) -> bool {
        !text.bytes().any(|byte| byte.is_ascii_uppercase())
    }
}

impl fmt::Display for OptimizeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
