//! Backups by names and states alone, which tell whether they are perhaps still being made: the engine opens no snapshot's
//! metadata for it.

use std::collections::BTreeMap;
use std::time::Duration;

use backup_core::{BackupId, IdPattern, ListMode, NAME_PREFIX, RepositoryName, Request};
use serde::Deserialize;

use super::{Capability, Response, TransportError};

/// A snapshot of the cheap list. The UUID tells a new one from a deleted one of that name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ListedSnapshot {
    snapshot: String,
    uuid: Option<String>,
    state: Option<String>,
}

/// The backups of a repository by ID.
#[derive(Debug, Default)]
pub struct ListedBackups {
    /// Two successful snapshots.
    pub finished: BTreeMap<u64, Vec<ListedSnapshot>>,
    /// The others.
    pub unfinished: BTreeMap<u64, Vec<ListedSnapshot>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the search engine answers {status} to the list of snapshots: {body}")]
    Refused { status: u16, body: String },
    #[error("the search engine's list of snapshots cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    snapshots: Vec<ListedSnapshot>,
}

impl Capability {
    /// All backups. In a repository without any there are none, and without the repository neither.
    pub async fn listed(&self, repository: &RepositoryName, timeout: Duration) -> Result<ListedBackups, ListError> {
        let request = Request::list(repository, &IdPattern::All.snapshot_pattern(), ListMode::NamesOnly);
        match self.read_once(request, timeout).await? {
            Response { status: 200, body, .. } => Ok(by_backup(serde_json::from_str(&body)?)),
            Response { status: 404, .. } => Ok(ListedBackups::default()),
            Response { status, body, .. } => Err(ListError::Refused { status, body: body.chars().take(500).collect() }),
        }
    }
}

fn by_backup(list: List) -> ListedBackups {
    let mut backups: BTreeMap<u64, Vec<ListedSnapshot>> = BTreeMap::new();
    for listed in list.snapshots {
        if let Some(id) = id_of(&listed.snapshot) {
            backups.entry(id).or_default().push(listed);
        }
    }
    let (finished, unfinished) = backups.into_iter().partition(|(_, snapshots)| is_finished(snapshots));
    ListedBackups { finished, unfinished }
}

fn is_finished(snapshots: &[ListedSnapshot]) -> bool {
    snapshots.len() == 2 && snapshots.iter().all(|listed| listed.state.as_deref() == Some("SUCCESS"))
}

/// All policies begin the names of a backup's snapshots in this way; the contract demands it.
fn id_of(snapshot: &str) -> Option<u64> {
    Some(BackupId::parse(snapshot.strip_prefix(NAME_PREFIX)?.split_once('_')?.0).ok()?.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_successful_snapshots_are_finished_and_foreign_ones_are_no_backups() {
        let snapshot = |name: &str, state: Option<&str>| ListedSnapshot {
            snapshot: name.to_owned(),
            uuid: None,
            state: state.map(str::to_owned),
        };
        let snapshots = [
            ("camunda_optimize_1_8.6.0_part_1_of_2", Some("SUCCESS")),
            ("camunda_optimize_1_8.6.0_part_2_of_2", Some("SUCCESS")),
            ("camunda_optimize_2_8.6.0_part_1_of_2", Some("SUCCESS")),
            ("camunda_optimize_3_8.6.0_part_1_of_2", Some("SUCCESS")),
            ("camunda_optimize_3_8.6.0_part_2_of_2", Some("IN_PROGRESS")),
            ("camunda_optimize_4_8.6.0_part_1_of_2", None),
            ("camunda_optimize_nightly", Some("IN_PROGRESS")),
            ("camunda_optimize_0_8.6.0_part_1_of_2", Some("IN_PROGRESS")),
            ("camunda_optimize_05_8.6.0_part_1_of_2", Some("IN_PROGRESS")),
            ("other", Some("IN_PROGRESS")),
        ];
        let list = List { snapshots: snapshots.map(|(name, state)| snapshot(name, state)).into() };
        let ListedBackups { finished, unfinished } = by_backup(list);
        assert_eq!(unfinished.into_keys().collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(finished.into_keys().collect::<Vec<_>>(), [1]);
    }
}
