//! What the engine's state tells about a restore before it begins.

use std::collections::{BTreeMap, BTreeSet};

use super::look::Tasks;
use super::parts::Contents;
use crate::restore::{Finding, FindingCode, Found, IndexState, Mark, Target, TargetPart, is_expression};
use crate::selection::{certain_names, doubtful_names, installation_of};
use crate::text::cut;
use crate::{Context, IndexPrefix};

/// What is known when findings are made.
pub(super) struct Facts<'a> {
    pub(super) context: &'a Context,
    /// The prefix that the indices have after the restore.
    pub(super) prefix: &'a IndexPrefix,
    pub(super) contents: &'a Contents,
    pub(super) targets: &'a [Target],
    /// Where each target stands.
    pub(super) states: &'a [IndexState],
    /// What the backup has besides.
    pub(super) others: &'a [String],
    /// What exists under the prefix.
    pub(super) found: &'a BTreeMap<String, Found>,
    pub(super) tasks: &'a Tasks,
}

pub(super) fn finding(code: FindingCode, message: String) -> Finding {
    Finding { code, overridden: false, message }
}

pub(super) fn unreadable(part: &TargetPart, reason: &str) -> Finding {
    finding(
        FindingCode::SnapshotUnreadable,
        format!(
            "the files of snapshot {} cannot all be read ({reason}): bring the repository's storage back, or restore another backup",
            part.name
        ),
    )
}

/// The first of some names, and how many more there are.
pub(super) fn named<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    const MAX_NAMES: usize = 10;
    let names: Vec<&String> = names.into_iter().collect();
    let first: Vec<&str> = names.iter().take(MAX_NAMES).map(|name| name.as_str()).collect();
    match names.len().saturating_sub(MAX_NAMES) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

impl Facts<'_> {
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = [
            self.not_complete(),
            self.nothing(),
            self.unusable_names(),
            self.of_others(),
            self.another_installation(),
            self.unfinished(),
            self.another_restore(),
            self.backup_in_progress(),
            self.deletion_in_progress(),
        ]
        .into_iter()
        .flatten()
        .collect();
        if self.is_renamed() {
            findings.extend(self.prefix_in_use());
        } else {
            findings.extend(self.not_in_backup());
            findings.extend(self.read_only());
        }
        findings
    }

    pub(super) fn is_renamed(&self) -> bool {
        *self.prefix != self.context.settings.index_prefix
    }

    /// The targets with what is there in their place.
    pub(super) fn existing(&self) -> impl Iterator<Item = (&Target, &IndexState, &Found)> {
        self.targets
            .iter()
            .zip(self.states)
            .filter_map(|(target, state)| Some((target, state, self.found.get(&target.name)?)))
    }

    /// What exists under the prefix and is not restored.
    fn left_alone(&self) -> impl Iterator<Item = (&String, &Found)> {
        let targets: BTreeSet<&String> = self.targets.iter().map(|target| &target.name).collect();
        self.found.iter().filter(move |(name, _)| !targets.contains(name))
    }

    fn not_complete(&self) -> Option<Finding> {
        let obstacle = self.contents.obstacle()?;
        Some(finding(FindingCode::BackupNotComplete, format!("{obstacle}; restore one that is COMPLETE")))
    }

    fn nothing(&self) -> Option<Finding> {
        if !self.targets.is_empty() {
            return None;
        }
        let prefix = &self.context.settings.index_prefix;
        let of = self.contents.parts.iter().find_map(|part| installation_of(&part.indices));
        let whose = of.map_or_else(String::new, |of| format!(", but those of the prefix '{of}'"));
        Some(finding(
            FindingCode::NothingToRestore,
            format!("the backup has no index of the prefix '{prefix}'{whose}; check es.settings.index.prefix"),
        ))
    }

    fn unusable_names(&self) -> Option<Finding> {
        let names = self.targets.iter().flat_map(|target| [&target.index, &target.name]);
        let unusable: BTreeSet<String> =
            names.filter(|name| is_expression(name)).map(|name| name.escape_debug().to_string()).collect();
        (!unusable.is_empty()).then(|| {
            finding(
                FindingCode::IndexNameInvalid,
                format!(
                    "no index can be called {}: the list of the backup's indices is not a search engine's, or its names are too long under the other prefix",
                    named(&unusable)
                ),
            )
        })
    }

    fn of_others(&self) -> Option<Finding> {
        (!self.others.is_empty()).then(|| {
            let names = named(self.others);
            finding(
                FindingCode::ForeignIndices,
                format!("the backup has indices that are not this installation's, and they are left alone: {names}"),
            )
        })
    }

    fn another_installation(&self) -> Option<Finding> {
        let targets: BTreeSet<&str> = self.targets.iter().map(|target| target.index.as_str()).collect();
        let found = if self.is_renamed() { None } else { Some(self.found.keys().map(String::as_str)) };
        let names: BTreeSet<&str> = targets.iter().copied().chain(found.into_iter().flatten()).collect();
        let doubtful = doubtful_names(&self.context.settings.index_prefix, names);
        let doubtful: Vec<String> =
            doubtful.into_iter().filter(|name| targets.contains(name)).map(str::to_owned).collect();
        (!doubtful.is_empty()).then(|| {
            finding(
                FindingCode::AnotherInstallation,
                format!(
                    "these look like the indices of another installation, and would be replaced: {}; override this only if they are of this one",
                    named(&doubtful)
                ),
            )
        })
    }

    fn unfinished(&self) -> Option<Finding> {
        let kept = self.states.iter().filter(|state| !matches!(state, IndexState::Missing | IndexState::Old)).count();
        (kept > 0).then(|| {
            finding(
                FindingCode::RestoreUnfinished,
                format!(
                    "a restore of this backup was begun and has not ended: {kept} of {} indices are restored or being restored, and the others follow",
                    self.states.len()
                ),
            )
        })
    }

    fn another_restore(&self) -> Option<Finding> {
        let snapshots: BTreeSet<&str> = self.contents.parts.iter().map(|part| part.uuid.as_str()).collect();
        let is_unfinished = |mark: &Mark| mark.is_unfinished() && !snapshots.contains(mark.uuid());
        let is_anothers = |found: &Found| found.mark.as_ref().is_some_and(is_unfinished);
        let own: BTreeSet<&str> =
            certain_names(self.prefix, self.found.keys().map(String::as_str)).into_iter().collect();
        let is_own = |name: &&String| own.contains(name.as_str());
        let marked = self.found.iter().filter(|(_, found)| is_anothers(found)).map(|(name, _)| name);
        let mut names: BTreeSet<&String> = marked.filter(is_own).collect();
        let parts: BTreeSet<String> = self.contents.parts.iter().map(|part| part.name.to_string()).collect();
        let running = self.tasks.restores.iter().filter(|restore| !parts.contains(&restore.snapshot));
        names.extend(running.flat_map(|restore| &restore.indices).filter(is_own));
        (!names.is_empty()).then(|| {
            finding(
                FindingCode::AnotherRestore,
                format!(
                    "a restore of another snapshot has begun and not ended on {}: let it end, or override this to replace what it has restored",
                    named(names)
                ),
            )
        })
    }

    fn backup_in_progress(&self) -> Option<Finding> {
        let names: BTreeSet<&String> = self.targets.iter().map(|target| &target.name).collect();
        let running: Vec<&String> = self
            .tasks
            .backups
            .iter()
            .filter(|backup| backup.indices.iter().any(|index| names.contains(index)))
            .map(|backup| &backup.snapshot)
            .collect();
        (!running.is_empty()).then(|| {
            finding(
                FindingCode::BackupInProgress,
                format!(
                    "a snapshot of these indices is being made: {}; wait for its end, or delete it",
                    named(running)
                ),
            )
        })
    }

    fn deletion_in_progress(&self) -> Option<Finding> {
        let repository = self.context.settings.repository.as_ref()?.as_str();
        self.tasks.deletes(repository, &self.contents.parts).then(|| {
            finding(FindingCode::DeletionInProgress, "this backup is being deleted; restore another one".to_owned())
        })
    }

    fn prefix_in_use(&self) -> Option<Finding> {
        let of_this_restore =
            |name: &String| self.existing().any(|(target, state, _)| target.name == *name && *state != IndexState::Old);
        let others: Vec<&String> = self.found.keys().filter(|name| !of_this_restore(name)).collect();
        (!others.is_empty()).then(|| {
            finding(
                FindingCode::PrefixInUse,
                format!(
                    "there are indices under the prefix '{}' already: {}; choose a prefix that is not used, or delete them",
                    self.prefix,
                    named(others)
                ),
            )
        })
    }

    fn not_in_backup(&self) -> Option<Finding> {
        if self.contents.obstacle().is_some() {
            return None;
        }
        let own: BTreeSet<&str> =
            crate::selection::own_names(self.prefix, self.found.keys().map(String::as_str)).into_iter().collect();
        let names: Vec<&String> =
            self.left_alone().map(|(name, _)| name).filter(|name| own.contains(name.as_str())).collect();
        (!names.is_empty()).then(|| {
            finding(
                FindingCode::IndicesNotInBackup,
                format!(
                    "the backup does not have {}, created after it or of another version of Optimize: they are left alone, and Optimize will read them with the restored ones; delete them by their exact names if they must not stay",
                    named(names)
                ),
            )
        })
    }

    fn read_only(&self) -> Option<Finding> {
        let blocked: Vec<(&String, &str)> = self
            .existing()
            .filter(|(_, state, _)| **state == IndexState::Old)
            .filter_map(|(target, _, found)| Some((&target.name, found.block?)))
            .collect();
        let (_, block) = blocked.first()?;
        let names = named(blocked.iter().map(|(name, _)| *name));
        Some(finding(
            FindingCode::IndexReadOnly,
            format!(
                "the search engine will not delete {names}: take away the setting {block} with PUT /{{index}}/_settings"
            ),
        ))
    }
}

/// The other prefix begins with that of another installation.
pub(super) fn inside(prefix: &IndexPrefix, outer: &[IndexPrefix]) -> Option<Finding> {
    let outer = outer.first()?;
    Some(finding(
        FindingCode::PrefixInUse,
        format!(
            "there is an installation with the prefix '{outer}', which would find the indices of '{prefix}' with its own: choose a prefix that does not begin with '{outer}-'"
        ),
    ))
}

/// A check that the engine did not allow.
pub(super) fn not_checked(what: &str, reason: String) -> Finding {
    finding(FindingCode::NotChecked, format!("{what} could not be checked ({})", cut(reason, 500)))
}
