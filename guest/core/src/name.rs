use std::fmt::{self, Write as _};

use crate::{BackupId, OptimizeVersion, Part};

/// What the names of all Optimize's snapshots start with.
pub const NAME_PREFIX: &str = "camunda_optimize_";

/// The name of one snapshot: `camunda_optimize_{backupId}_{optimizeVersion}_part_{n}_of_2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotName {
    /// The backup that it belongs to.
    pub backup_id: BackupId,
    /// The version of Optimize that wrote the data.
    pub version: OptimizeVersion,
    /// Which of the backup's snapshots it is.
    pub part: Part,
}

impl SnapshotName {
    /// Reads a snapshot's name. `None`: somebody else's, such as the textual ids of Optimize 8.1.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(NAME_PREFIX)?;
        let (rest, part) = Part::ALL.into_iter().find_map(|part| Some((rest.strip_suffix(part.suffix())?, part)))?;
        let (id, version) = rest.split_once('_')?;
        // A version in capitals would be read, but not written again: no engine stores such a name.
        if !OptimizeVersion::is_canonical(version) {
            return None;
        }
        Some(Self { backup_id: BackupId::parse(id).ok()?, version: OptimizeVersion::parse(version).ok()?, part })
    }

    /// The expression that finds every snapshot of one backup, and none of another whose number
    /// starts with the same digits.
    #[must_use]
    pub fn pattern(id: BackupId) -> String {
        format!("{NAME_PREFIX}{id}_*")
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME_PREFIX)?;
        fmt::Display::fmt(&self.backup_id, f)?;
        f.write_str("_")?;
        fmt::Display::fmt(&self.version, f)?;
        f.write_str(self.part.suffix())
    }
}

/// With one allocation, since a list has tens of thousands of names.
impl From<SnapshotName> for String {
    fn from(name: SnapshotName) -> Self {
        let mut text = Self::with_capacity(80);
        // Writing into a text does not fail.
        let _ = write!(text, "{name}");
        text
    }
}

#[cfg(test)]
mod tests;
