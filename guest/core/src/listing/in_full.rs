//! Reads chosen backups in full, after a list of names.

use super::{Listing, among, list, request, unreadable, without};
use crate::request::ListMode;
use crate::{BackupId, Engine, Error, IdPattern, PageLimit, Part, RepositoryName, Snapshot, SnapshotName};

/// How long the names in one request may be together. With the rest of its first line they stay below the 4 KiB that engines
/// accept (`http.max_initial_line_length`).
const MAX_NAMES_BYTES: usize = 2_500;
/// How many backups are asked for by their IDs. More are cheaper to read with all others.
const MAX_IDS: usize = PageLimit::MAX as usize;

/// Reads in full what a list of names has of some backups, which all match `pattern`.
///
/// The engine leaves out what it cannot read, and so does not refuse the others. A snapshot that it leaves out although a
/// later list of names still has it is unreadable; without that list, one that was deleted meanwhile would be, too.
pub(crate) fn in_full(
    engine: &impl Engine,
    repository: &RepositoryName,
    pattern: IdPattern,
    listed: Vec<Snapshot>,
) -> Result<Vec<Snapshot>, Error> {
    let mut ids: Vec<BackupId> = listed.iter().map(|snapshot| snapshot.name.backup_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut snapshots = readable(engine, repository, pattern, &ids)?;
    let left_out = without(listed, &snapshots);
    if !left_out.is_empty() {
        let names = Listing::names_of_all(engine, repository, pattern)?.snapshots;
        let mut left_out = among(left_out, &names);
        if let Some(first) = left_out.next() {
            // This request is for the engine's reason.
            match request(engine, repository, &first.name.to_string(), ListMode::Strict)? {
                Ok(found) => snapshots.extend(found.snapshots),
                Err(refusal) => snapshots.push(unreadable(first, Some(&refusal))),
            }
        }
        snapshots.extend(left_out.map(|snapshot| unreadable(snapshot, None)));
    }
    snapshots.retain(|snapshot| ids.binary_search(&snapshot.name.backup_id).is_ok());
    Ok(snapshots)
}

/// What the engine can read of these backups, and perhaps of others.
fn readable(
    engine: &impl Engine,
    repository: &RepositoryName,
    pattern: IdPattern,
    ids: &[BackupId],
) -> Result<Vec<Snapshot>, Error> {
    if ids.len() > MAX_IDS {
        return Ok(list(engine, repository, &pattern.snapshot_pattern(), ListMode::ReadableOnly)?.snapshots);
    }
    let mut snapshots = Vec::with_capacity(ids.len() * Part::COUNT);
    for patterns in in_requests(ids) {
        snapshots.extend(list(engine, repository, &patterns, ListMode::ReadableOnly)?.snapshots);
    }
    Ok(snapshots)
}

/// The expressions that find the snapshots of these backups, joined up to the length of a request.
fn in_requests(ids: &[BackupId]) -> Vec<String> {
    let mut requests: Vec<String> = Vec::new();
    for pattern in ids.iter().map(|&id| SnapshotName::pattern(id)) {
        match requests.last_mut().filter(|last| last.len() + 1 + pattern.len() <= MAX_NAMES_BYTES) {
            Some(last) => {
                last.push(',');
                last.push_str(&pattern);
            }
            None => requests.push(pattern),
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NAME_PREFIX;

    #[test]
    fn the_largest_page_is_within_the_budget_of_a_call_and_a_request_within_a_line() {
        let ids: Vec<BackupId> = (0..PageLimit::MAX.into()).filter_map(|n| BackupId::new(BackupId::MAX - n)).collect();
        let requests = in_requests(&ids);
        assert!(requests.len() <= 20, "{}", requests.len());
        assert!(requests.iter().all(|patterns| patterns.len() <= MAX_NAMES_BYTES));
        assert_eq!(requests.join(",").matches(NAME_PREFIX).count(), ids.len());
        assert_eq!(in_requests(&[]), Vec::<String>::new());
    }
}
