//! Listing snapshots, also from a damaged repository.
//!
//! A list fails as a whole when the metadata file of one snapshot cannot be read: with 404
//! `snapshot_missing_exception` if it is gone, with 500 `snapshot_exception` if it is corrupt or the
//! storage does not give it. On most engines a pattern that matches nothing is that same 404: only the
//! name in the reason tells the two apart. Taken for "nothing there", one damaged file would make
//! every backup vanish and let an id be used twice.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::answer::{document, success};
use crate::request::ListMode;
use crate::{
    BackupId, Engine, Error, Origin, Refusal, RepositoryName, Request, Snapshot, SnapshotName, SnapshotState, Timestamp,
};

/// The snapshots in a repository that match a pattern.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Ours, in the engine's order.
    pub(crate) snapshots: Vec<Snapshot>,
    /// How many have names of other make.
    pub(crate) foreign: usize,
    /// Why some could not be read, if the next list may be able to.
    trouble: Option<Error>,
}

impl Listing {
    /// The snapshots of one backup.
    pub(crate) fn of_backup(engine: &impl Engine, repository: &RepositoryName, id: BackupId) -> Result<Self, Error> {
        Self::matching(engine, repository, &SnapshotName::pattern(id))
    }

    /// The snapshots of all backups.
    pub(crate) fn of_all(engine: &impl Engine, repository: &RepositoryName) -> Result<Self, Error> {
        Self::matching(engine, repository, &SnapshotName::pattern_of_all())
    }

    fn matching(engine: &impl Engine, repository: &RepositoryName, pattern: &str) -> Result<Self, Error> {
        match ask(engine, repository, pattern, ListMode::Strict)? {
            Answer::Listed(listing) => Ok(listing),
            Answer::Damaged(refusal) => Self::from_damaged(engine, repository, pattern, &refusal),
        }
    }

    /// What is readable, and by their names those that are not.
    ///
    /// The names are asked for before and after: a snapshot that comes or goes meanwhile is not damaged.
    fn from_damaged(
        engine: &impl Engine,
        repository: &RepositoryName,
        pattern: &str,
        refusal: &Refusal,
    ) -> Result<Self, Error> {
        let before = ask(engine, repository, pattern, ListMode::NamesOnly)?.or_refused(repository, pattern)?;
        let mut listing = ask(engine, repository, pattern, ListMode::ReadableOnly)?.or_refused(repository, pattern)?;
        let after = ask(engine, repository, pattern, ListMode::NamesOnly)?.or_refused(repository, pattern)?;
        let there = |snapshots: &[Snapshot], name: &SnapshotName| snapshots.iter().any(|known| known.name == *name);
        let unreadable: Vec<Snapshot> = before
            .snapshots
            .into_iter()
            .filter(|snapshot| there(&after.snapshots, &snapshot.name) && !there(&listing.snapshots, &snapshot.name))
            .map(|snapshot| unreadable(snapshot, refusal))
            .collect();
        if refusal.can_pass() && !unreadable.is_empty() {
            let list = Request::list(repository, pattern, ListMode::Strict);
            listing.trouble = Some(Error::refused(&list, refusal.clone(), repository));
        }
        listing.snapshots.extend(unreadable);
        listing.foreign = before.foreign;
        Ok(listing)
    }

    /// A list to act on.
    ///
    /// # Errors
    /// If snapshots could not be read for a reason that can pass: a storage that is away for a moment
    /// must not decide on a run.
    pub(crate) fn settled(self) -> Result<Self, Error> {
        match self.trouble {
            Some(trouble) => Err(trouble),
            None => Ok(self),
        }
    }

    /// The snapshots by backup.
    pub(crate) fn by_backup(self) -> BTreeMap<BackupId, Vec<Snapshot>> {
        let mut backups: BTreeMap<BackupId, Vec<Snapshot>> = BTreeMap::new();
        for snapshot in self.snapshots {
            backups.entry(snapshot.name.backup_id).or_default().push(snapshot);
        }
        backups
    }

    /// The snapshots of one backup, of those that were listed.
    pub(crate) fn only(self, id: BackupId) -> Vec<Snapshot> {
        self.by_backup().remove(&id).unwrap_or_default()
    }
}

/// An engine explains only the first that it comes upon.
fn unreadable(Snapshot { name, uuid, .. }: Snapshot, refusal: &Refusal) -> Snapshot {
    let reason = if refusal.reason.contains(&format!(":{name}/")) {
        format!("its metadata cannot be read ({refusal})")
    } else {
        "its metadata cannot be read".to_owned()
    };
    Snapshot::unreadable(name, uuid, reason)
}

enum Answer {
    Listed(Listing),
    Damaged(Refusal),
}

impl Answer {
    /// The list, where the engine has no excuse for refusing it.
    fn or_refused(self, repository: &RepositoryName, pattern: &str) -> Result<Listing, Error> {
        match self {
            Self::Listed(listing) => Ok(listing),
            Self::Damaged(refusal) => {
                Err(Error::refused(&Request::list(repository, pattern, ListMode::Strict), refusal, repository))
            }
        }
    }
}

fn ask(engine: &impl Engine, repository: &RepositoryName, pattern: &str, mode: ListMode) -> Result<Answer, Error> {
    let request = Request::list(repository, pattern, mode);
    let response = engine.send(&request).map_err(|error| Error::transport(&request, error))?;
    match success(&response) {
        Ok(body) => read(&request, body, repository).map(Answer::Listed),
        Err(refusal) if refusal.is_snapshot_missing() && names(&refusal, pattern) => {
            Ok(Answer::Listed(Listing::default()))
        }
        Err(refusal) if refusal.is_snapshot_missing() || refusal.is_snapshot_unreadable() => {
            Ok(Answer::Damaged(refusal))
        }
        Err(refusal) => Err(Error::refused(&request, refusal, repository)),
    }
}

/// `[backups:camunda_optimize_12_*] is missing` names the pattern; a damaged snapshot is named with
/// its uuid, `[backups:camunda_optimize_12_8.6.0_part_1_of_2/GgYxZ…] is missing`.
fn names(refusal: &Refusal, pattern: &str) -> bool {
    refusal.reason.contains(&format!(":{pattern}]"))
}

fn read(request: &Request, body: &str, repository: &RepositoryName) -> Result<Listing, Error> {
    let list: RawList = document(request, body)?;
    if list.failures.contains_key(repository.as_str()) {
        // Elasticsearch 8.11 and 7.17 tell of a missing repository with 200.
        return Err(Error::RepositoryMissing { repository: repository.clone(), refusal: None });
    }
    let mut listing = Listing::default();
    for raw in list.snapshots {
        match read_snapshot(raw) {
            Some(snapshot) => listing.snapshots.push(snapshot),
            None => listing.foreign += 1,
        }
    }
    Ok(listing)
}

/// A snapshot that is ours; one entry that makes no sense must not hide the others.
fn read_snapshot(raw: Value) -> Option<Snapshot> {
    let name = SnapshotName::parse(raw.get("snapshot")?.as_str()?)?;
    let uuid = raw.get("uuid").and_then(Value::as_str).map(str::to_owned);
    Some(match serde_json::from_value::<RawSnapshot>(raw) {
        Ok(raw) => raw.into_snapshot(name, uuid),
        Err(fault) => {
            Snapshot::unreadable(name, uuid, format!("the engine's answer about it makes no sense ({fault})"))
        }
    })
}

#[derive(Deserialize)]
struct RawList {
    #[serde(default)]
    snapshots: Vec<Value>,
    #[serde(default)]
    failures: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct RawSnapshot {
    state: String,
    version: Option<String>,
    version_id: Option<u64>,
    start_time_in_millis: Option<u64>,
    end_time_in_millis: Option<u64>,
    reason: Option<String>,
    #[serde(default)]
    failures: Vec<RawFailure>,
    metadata: Option<Value>,
}

#[derive(Deserialize)]
struct RawFailure {
    index: Option<String>,
    shard_id: Option<u64>,
    node_id: Option<String>,
    reason: Option<String>,
}

impl RawSnapshot {
    fn into_snapshot(self, name: SnapshotName, uuid: Option<String>) -> Snapshot {
        let Some(state) = SnapshotState::parse(&self.state) else {
            return Snapshot::unreadable(
                name,
                uuid,
                format!("the engine gives it a state that is not known: {}", self.state),
            );
        };
        // A running snapshot ended at 0.
        let moment = |millis: Option<u64>| millis.filter(|&millis| millis > 0).map(Timestamp);
        Snapshot {
            name,
            uuid,
            state,
            started: moment(self.start_time_in_millis),
            ended: moment(self.end_time_in_millis),
            reason: self.reason,
            failures: self.failures.into_iter().map(RawFailure::into_line).collect(),
            version: self.version,
            version_id: self.version_id,
            origin: self.metadata.and_then(Origin::read),
        }
    }
}

impl RawFailure {
    fn into_line(self) -> String {
        let index = self.index.as_deref().unwrap_or("unknown index");
        let shard = self.shard_id.map_or_else(|| "?".to_owned(), |shard| shard.to_string());
        let node = self.node_id.map_or_else(|| "on no node".to_owned(), |node| format!("on node {node}"));
        let reason = self.reason.as_deref().unwrap_or("no reason given");
        format!("[{index}][{shard}] {node}: {reason}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_text(body: &str) -> Result<Listing, Error> {
        let repository = RepositoryName::parse("backups").unwrap();
        read(&Request::repository(&repository), body, &repository)
    }

    #[test]
    fn one_senseless_entry_hides_no_other() {
        let listing = read_text(
            r#"{"snapshots":[
                {"snapshot":"camunda_optimize_1_8.6.0_part_1_of_2","state":"SUCCESS","start_time_in_millis":"soon"},
                {"snapshot":"camunda_optimize_1_8.6.0_part_2_of_2","state":"DREAMING"},
                {"snapshot":"camunda_optimize_mine_8.1.0_part_1_of_2","state":7},
                {"state":"SUCCESS"}, 7, null,
                {"snapshot":"camunda_optimize_2_8.6.0_part_1_of_2","state":"SUCCESS","end_time_in_millis":5}
            ]}"#,
        )
        .unwrap();
        let states: Vec<_> = listing.snapshots.iter().map(|snapshot| snapshot.state).collect();
        assert_eq!(states, [SnapshotState::Unreadable, SnapshotState::Unreadable, SnapshotState::Success]);
        assert_eq!(listing.foreign, 4);
    }

    #[test]
    fn nothing_filtered_is_nothing_there() {
        assert!(read_text("{}").unwrap().snapshots.is_empty());
    }

    #[test]
    fn a_missing_repository_may_come_as_a_success() {
        let body = r#"{"snapshots":[],"failures":{"backups":{"type":"repository_missing_exception","reason":"[backups] missing"}}}"#;
        assert!(matches!(read_text(body), Err(Error::RepositoryMissing { .. })));
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for body in ["", "<html>", "[]", "7", r#"{"snapshots":{}}"#, r#"{"snapshots":[{"snap"#] {
            assert!(matches!(read_text(body), Err(Error::EngineAnswerInvalid { .. })), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(body in "\\PC*") {
            let _ = read_text(&body);
        }
    }
}
