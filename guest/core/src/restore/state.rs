//! Where each index of a restore stands, and what comes next. Decided from the engine's state alone.

use super::{Found, Mark, Recovery, Target};
use crate::{Part, RepositoryName};

/// Where an index stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IndexState {
    /// It does not exist.
    Missing,
    /// It exists, and the plan is to replace it.
    Old,
    /// Its restore runs.
    Restoring,
    /// It was restored, and does not say so yet.
    Arrived,
    /// It was restored.
    Restored,
    /// It has no mark, and the engine says that it was restored from a snapshot of this name: by this restore or an earlier
    /// one.
    Unmarked,
    /// It was restored, and has no primary shard at the moment.
    Waiting(String),
    /// Its restore was ended by a restart of the whole cluster.
    Lost,
    /// Its restore has failed.
    Failed(String),
    /// It is another index than the one that the plan saw, and not known to be from this backup.
    Foreign,
}

impl IndexState {
    /// `replaces`: the UUID of the index that may be deleted.
    pub(crate) fn of(
        target: &Target,
        found: Option<&Found>,
        replaces: Option<&str>,
        repository: &RepositoryName,
    ) -> Self {
        let Some(found) = found else { return Self::Missing };
        if replaces == Some(found.uuid.as_str()) {
            return Self::Old;
        }
        let (repository, snapshot) = (repository.as_str(), target.snapshot.to_string());
        match &found.mark {
            Some(mark) if *mark.uuid() != target.snapshot_uuid => Self::Foreign,
            Some(Mark::Restored(_) | Mark::Finished(_)) if found.is_started() => Self::Restored,
            Some(Mark::Restored(_) | Mark::Finished(_)) => {
                Self::Waiting(found.why_unassigned().unwrap_or("it is starting").to_owned())
            }
            Some(Mark::Planned(_)) => Self::Foreign,
            Some(Mark::Begun(_)) => begun(found, found.has_arrived_from(repository, &snapshot)),
            None if found.is_recovered_from(repository, &snapshot) => Self::Unmarked,
            None => Self::Foreign,
        }
    }
}

fn begun(found: &Found, has_arrived: bool) -> IndexState {
    if found.is_recovering() {
        IndexState::Restoring
    } else if has_arrived {
        IndexState::Arrived
    } else if found.primaries.iter().any(|primary| primary.is_lost) {
        IndexState::Lost
    } else if let Some(why) = found.why_unassigned() {
        IndexState::Failed(why.to_owned())
    } else if found.recoveries.len() != found.primaries.len() || found.recoveries.iter().any(Recovery::is_running) {
        // The engine has not told what it was recovered from, or is moving a shard to another node: then it tells of both.
        IndexState::Restoring
    } else {
        // It was started from something else than the snapshot, so nobody knows what is in it.
        IndexState::Lost
    }
}

/// An index of a restore, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) target: Target,
    pub(crate) state: IndexState,
    /// It has a mark.
    pub(crate) is_marked: bool,
}

/// What a restore does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// The engine is at it.
    Wait,
    /// Note that these are restored.
    Note(Vec<Target>),
    /// Delete these, which all are of one part.
    Delete(Part, Vec<Target>),
    /// Restore these, which all are of one part and do not exist.
    Restore(Part, Vec<Target>),
    /// Every index is restored.
    Finish,
    /// It cannot go on.
    Fail(String),
}

/// How many indices are gone at most before their replacements are there.
const MAX_AT_ONCE: usize = 50;
/// How long their names may be together, encoded: they are in the path of a request.
const MAX_NAMES_BYTES: usize = 2_500;

impl NextStep {
    /// Part 1 before part 2, and of each part a few indices at a time: no other index is deleted before those are there.
    pub(crate) fn of(indices: &[Standing]) -> Self {
        if let Some(reason) = failure(indices) {
            return Self::Fail(reason);
        }
        let arrived = some(indices, None, |state| *state == IndexState::Arrived);
        if !arrived.is_empty() {
            return Self::Note(arrived);
        }
        if indices.iter().any(|index| matches!(index.state, IndexState::Restoring | IndexState::Waiting(_))) {
            return Self::Wait;
        }
        for part in Part::ALL {
            let lost = some(indices, Some(part), |state| *state == IndexState::Lost);
            if !lost.is_empty() {
                return Self::Delete(part, lost);
            }
            let missing = some(indices, Some(part), |state| *state == IndexState::Missing);
            if !missing.is_empty() {
                return Self::Restore(part, missing);
            }
            let old = some(indices, Some(part), |state| *state == IndexState::Old);
            if !old.is_empty() {
                return Self::Delete(part, old);
            }
        }
        Self::Finish
    }
}

pub(crate) fn failure(indices: &[Standing]) -> Option<String> {
    let reasons: Vec<String> = indices
        .iter()
        .filter_map(|index| match &index.state {
            IndexState::Failed(why) => Some(format!("index {} could not be restored: {why}", index.target.name)),
            IndexState::Foreign => Some(format!(
                "index {} was created by somebody else while the restore ran: stop whatever writes to it, Optimize or another restore",
                index.target.name
            )),
            _ => None,
        })
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// As many of the indices as are dealt with at once.
fn some(indices: &[Standing], part: Option<Part>, is_meant: impl Fn(&IndexState) -> bool) -> Vec<Target> {
    let meant = indices
        .iter()
        .filter(|index| part.is_none_or(|part| part == index.target.part) && is_meant(&index.state))
        .map(|index| &index.target);
    at_once(meant, |target| target.name.as_str()).into_iter().cloned().collect()
}

/// As many as one request may name: of `name` it has a list.
pub(crate) fn at_once<'a, T>(items: impl Iterator<Item = &'a T>, name: impl Fn(&'a T) -> &'a str) -> Vec<&'a T> {
    let mut bytes = 0;
    items
        .take(MAX_AT_ONCE)
        .take_while(|item| {
            let is_first = bytes == 0;
            bytes += encoded_len(name(item)) + 1;
            is_first || bytes <= MAX_NAMES_BYTES
        })
        .collect()
}

/// How long a name is in the path of a URL.
fn encoded_len(name: &str) -> usize {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|byte| if is_plain(byte) { 1 } else { 3 }).sum()
}

/// Those indices whose marks are to be taken away next.
pub(crate) fn marked(indices: &[Standing]) -> Vec<Target> {
    let marked: Vec<Standing> = indices.iter().filter(|index| index.is_marked).cloned().collect();
    some(&marked, None, |_| true)
}

#[cfg(test)]
mod tests;
