use serde::Serialize;

use crate::selection::{base_name, is_rolled_over};
use crate::verification::scratch::numbered_copy;
use crate::{BackupId, IndexPrefix};

/// Renames indices from one prefix to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenamePattern {
    from: IndexPrefix,
    to: IndexPrefix,
    new_name: NewName,
}

/// The name that an index gets.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NewName {
    /// The other prefix, this, and what the index is called under its own.
    PrefixAnd(&'static str),
    /// This one: no other index is renamed.
    Whole(String),
}

/// An index can have neither `#` nor a capital letter in its name.
const IMPOSSIBLE: &str = "#NOT-RESTORED-";

impl RenamePattern {
    /// `None` if the indices of the one prefix could be taken for those of the other.
    #[must_use]
    pub fn new(from: &IndexPrefix, to: &IndexPrefix) -> Option<Self> {
        let is_within =
            |inner: &IndexPrefix, outer: &IndexPrefix| inner == outer || outer.strip(inner.as_str()).is_some();
        (!is_within(from, to) && !is_within(to, from)).then(|| Self {
            from: from.clone(),
            to: to.clone(),
            new_name: NewName::PrefixAnd(""),
        })
    }

    /// Renames these indices of an installation to the copies that the verification of a backup makes of them. One whose copy has
    /// a number in its name is renamed alone.
    #[must_use]
    pub fn to_copies(from: &IndexPrefix, id: BackupId, indices: &[String]) -> Self {
        let numbered = match indices {
            [index] => numbered_copy(id, index),
            _ => None,
        };
        let new_name = numbered.map_or(NewName::PrefixAnd(""), NewName::Whole);
        Self { from: from.clone(), to: from.of_copies(id), new_name }
    }

    /// Gives an installation's indices names that no index can have, still under its prefix: what is restored like this cannot
    /// take any index's place.
    #[must_use]
    pub fn to_impossible(own: &IndexPrefix) -> Self {
        Self { from: own.clone(), to: own.clone(), new_name: NewName::PrefixAnd(IMPOSSIBLE) }
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
        match &self.new_name {
            NewName::PrefixAnd(infix) => format!("{}-{infix}$1", self.to),
            NewName::Whole(name) => name.clone(),
        }
    }

    /// The name after the restore. `None`: it is not under the prefix.
    #[must_use]
    pub fn apply(&self, index: &str) -> Option<String> {
        let rest = self.from.strip(index)?;
        Some(match &self.new_name {
            NewName::PrefixAnd(infix) => format!("{}-{infix}{rest}", self.to),
            NewName::Whole(name) => name.clone(),
        })
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
