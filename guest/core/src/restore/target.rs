use std::collections::BTreeSet;

use crate::selection::own_names;
use crate::{IndexPrefix, SnapshotName};

use super::RenamePattern;

/// A snapshot that indices are restored from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its name.
    pub(crate) name: SnapshotName,
    /// What distinguishes it from a later one of this name.
    pub(crate) uuid: String,
    /// The indices in it.
    pub(crate) indices: Vec<String>,
}

/// An index that is to be restored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) part: crate::Part,
    /// Its name in the backup.
    pub(crate) index: String,
    /// Its name after the restore.
    pub(crate) name: String,
    /// The UUID of the snapshot.
    pub(crate) snapshot_uuid: String,
    /// The name of the snapshot.
    pub(crate) snapshot: SnapshotName,
}

/// The indices of the installation in the parts of a backup, and the others in them.
pub(crate) fn own_indices(
    parts: &[Part],
    prefix: &IndexPrefix,
    rename: Option<&RenamePattern>,
) -> (Vec<Target>, Vec<String>) {
    let all = parts.iter().flat_map(|part| &part.indices).map(String::as_str);
    let own: BTreeSet<&str> = own_names(prefix, all.clone()).into_iter().collect();
    let mut seen = BTreeSet::new();
    let mut targets = Vec::new();
    for part in parts {
        for index in part.indices.iter().filter(|index| own.contains(index.as_str())) {
            if !seen.insert(index) {
                continue;
            }
            targets.push(Target {
                part: part.name.part,
                index: index.clone(),
                name: rename.and_then(|rename| rename.apply(index)).unwrap_or_else(|| index.clone()),
                snapshot_uuid: part.uuid.clone(),
                snapshot: part.name.clone(),
            });
        }
    }
    targets.sort_unstable();
    let others: BTreeSet<String> = all.filter(|name| !own.contains(name)).map(str::to_owned).collect();
    (targets, others.into_iter().collect())
}
