use serde::Serialize;

use crate::selection::{base_name, is_rolled_over};
use crate::verification::scratch::numbered_copy;
use crate::{BackupId, IndexPrefix};

/// Renames indices from one prefix to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenamePattern {
    from: IndexPrefix,
    to: IndexPrefix,
    /// The whole name of the only index that is renamed.
    name: Option<String>,
}

impl RenamePattern {
    /// `None` if the indices of the one prefix could be taken for those of the other.
    #[must_use]
    pub fn new(from: &IndexPrefix, to: &IndexPrefix) -> Option<Self> {
        let is_within =
            |inner: &IndexPrefix, outer: &IndexPrefix| inner == outer || outer.strip(inner.as_str()).is_some();
        (!is_within(from, to) && !is_within(to, from)).then(|| Self { from: from.clone(), to: to.clone(), name: None })
    }

    /// Renames these indices of an installation to the copies that the verification of a backup makes of them. One whose copy has
    /// a number in its name is renamed alone.
    #[must_use]
    pub fn to_copies(from: &IndexPrefix, id: BackupId, indices: &[String]) -> Self {
        let name = match indices {
            [index] => numbered_copy(id, index),
            _ => None,
        };
        Self { from: from.clone(), to: from.of_copies(id), name }
    }

    /// The other prefix.
    #[must_use]
    pub fn prefix(&self) -> &IndexPrefix {
        &self.to
    }

    /// `rename_pattern`, a regular expression of Java: a prefix has no other special character than the dot.
    #[must_use]
    pub fn pattern(&self) -> String {
        format!("^{}-(.+)$", self.from.as_str().replace('.', "\\."))
    }

    /// `rename_replacement`.
    #[must_use]
    pub fn replacement(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{}-$1", self.to))
    }

    /// The name after the restore. `None`: it is not under the prefix.
    #[must_use]
    pub fn apply(&self, index: &str) -> Option<String> {
        let rest = self.from.strip(index)?;
        Some(self.name.clone().unwrap_or_else(|| format!("{}-{rest}", self.to)))
    }
}

/// An alias to add.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NewAlias {
    /// The index that gets it.
    pub index: String,
    /// Its name.
    pub alias: String,
    /// New documents go into this index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_write_index: Option<bool>,
}

/// The aliases that Optimize's indices of these names have. A snapshot's own cannot be read without restoring them.
///
/// Each has its name without version. Those of processes and decisions have a second one that all of their kind share, and of
/// those that are rolled over the newest is written to.
pub(crate) fn aliases<'a>(prefix: &IndexPrefix, indices: impl Iterator<Item = &'a str> + Clone) -> Vec<NewAlias> {
    const SHARED: [&str; 2] = ["process-instance", "decision-instance"];
    let mut aliases = Vec::new();
    for index in indices.clone() {
        let Some(rest) = prefix.strip(index) else { continue };
        let base = base_name(rest);
        let is_newest = !indices.clone().any(|other| base_name(other) == base_name(index) && other > index);
        aliases.push(NewAlias {
            index: index.to_owned(),
            alias: format!("{prefix}-{base}"),
            is_write_index: is_rolled_over(rest).then_some(is_newest),
        });
        let shared =
            SHARED.into_iter().filter(|shared| base.strip_prefix(shared).is_some_and(|key| key.starts_with('-')));
        aliases.extend(shared.map(|shared| NewAlias {
            index: index.to_owned(),
            alias: format!("{prefix}-{shared}"),
            is_write_index: None,
        }));
    }
    aliases
}
