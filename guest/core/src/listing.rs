//! Listing snapshots, also from a damaged repository.
//!
//! A list fails as a whole when the metadata file of one snapshot cannot be read: with 404
//! `snapshot_missing_exception` if it is gone, with 500 `snapshot_exception` if it is corrupt or the
//! storage does not give it. On most engines a pattern that matches nothing is that same 404: only the
//! name in the reason tells the two apart. Taken for "nothing there", one damaged file would make
//! every backup vanish and let an id be used twice.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::answer::{cut, document, object, success};
use crate::request::ListMode;
use crate::{
    BackupId, Engine, Error, Origin, Part, Refusal, RepositoryName, Request, Snapshot, SnapshotName, SnapshotState,
    Timestamp,
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
        // One look into a set a snapshot: a repository has tens of thousands.
        let still_there: BTreeSet<&SnapshotName> = after.snapshots.iter().map(|snapshot| &snapshot.name).collect();
        let readable: BTreeSet<&SnapshotName> = listing.snapshots.iter().map(|snapshot| &snapshot.name).collect();
        let unreadable: Vec<Snapshot> = before
            .snapshots
            .into_iter()
            .filter(|snapshot| still_there.contains(&snapshot.name) && !readable.contains(&snapshot.name))
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

    /// The snapshots by backup, the largest number first.
    pub(crate) fn by_backup(mut self) -> impl Iterator<Item = (BackupId, Vec<Snapshot>)> {
        self.snapshots.sort_unstable_by_key(|snapshot| Reverse(snapshot.name.backup_id));
        let mut rest = self.snapshots.into_iter().peekable();
        std::iter::from_fn(move || {
            let first = rest.next()?;
            let id = first.name.backup_id;
            // Most have no more: the usual growth of a vector would take twice the room.
            let mut snapshots = Vec::with_capacity(Part::COUNT);
            snapshots.push(first);
            snapshots.extend(std::iter::from_fn(|| rest.next_if(|next| next.name.backup_id == id)));
            Some((id, snapshots))
        })
    }

    /// The snapshots of one backup, of those that were listed.
    pub(crate) fn only(mut self, id: BackupId) -> Vec<Snapshot> {
        self.snapshots.retain(|snapshot| snapshot.name.backup_id == id);
        self.snapshots
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
    let list: RawList<'_> = document(request, body)?;
    if list.failures.contains_key(repository.as_str()) {
        // Elasticsearch 8.11 and 7.17 tell of a missing repository with 200.
        return Err(Error::RepositoryMissing { repository: repository.clone(), refusal: None });
    }
    let mut listing = Listing { snapshots: Vec::with_capacity(list.snapshots.len()), ..Listing::default() };
    for entry in list.snapshots {
        match read_snapshot(entry.get()) {
            Some(snapshot) => listing.snapshots.push(snapshot),
            None => listing.foreign += 1,
        }
    }
    Ok(listing)
}

/// A snapshot that is ours; one entry that makes no sense must not hide the others.
fn read_snapshot(entry: &str) -> Option<Snapshot> {
    match object::<RawSnapshot<'_>>(entry) {
        Ok(raw) => SnapshotName::parse(&raw.snapshot).map(|name| raw.into_snapshot(name)),
        Err(fault) => {
            let raw: RawName<'_> = object(entry).ok()?;
            let reason = format!("the engine's answer about it makes no sense ({fault})");
            Some(Snapshot::unreadable(SnapshotName::parse(&raw.snapshot)?, text(raw.uuid), cut(reason)))
        }
    }
}

fn text(value: Option<&RawValue>) -> Option<String> {
    value.and_then(|value| serde_json::from_str(value.get()).ok())
}

/// A list, whose entries are read one by one.
#[derive(Deserialize)]
struct RawList<'a> {
    #[serde(default, borrow)]
    snapshots: Vec<&'a RawValue>,
    #[serde(default)]
    failures: BTreeMap<String, IgnoredAny>,
}

/// An entry of which the rest makes no sense.
#[derive(Deserialize)]
struct RawName<'a> {
    #[serde(borrow)]
    snapshot: Cow<'a, str>,
    #[serde(borrow)]
    uuid: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawSnapshot<'a> {
    #[serde(borrow)]
    snapshot: Cow<'a, str>,
    #[serde(borrow)]
    uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    version: Option<String>,
    version_id: Option<u64>,
    start_time_in_millis: Option<u64>,
    end_time_in_millis: Option<u64>,
    reason: Option<String>,
    #[serde(default)]
    failures: Vec<RawFailure>,
    /// Whatever others note must not make the rest senseless.
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawFailure {
    index: Option<String>,
    shard_id: Option<u64>,
    node_id: Option<String>,
    reason: Option<String>,
}

impl RawSnapshot<'_> {
    fn into_snapshot(self, name: SnapshotName) -> Snapshot {
        let uuid = text(self.uuid);
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
            origin: self.metadata.and_then(|metadata| Origin::read(metadata.get())),
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
    fn an_entry_is_read_however_it_is_written() {
        let listing = read_text(
            r#" {"total": 3, "snapshots": [
                {"uuid":"u\u0031","metadata":["daily"],"snapshot":"camunda_optimize_1_8.6.0_p\u0061rt_1_of_2","sta\u0074e":"SUCC\u0045SS","indices":[{}]},
                {"uuid":7,"metadata":null,"snapshot":"camunda_optimize_2_8.6.0_part_1_of_2","state":"SUCCESS"},
                {"uuid":"u3","snapshot":"camunda_optimize_3_8.6.0_part_1_of_2","state":null},
                ["camunda_optimize_4_8.6.0_part_1_of_2",null,"SUCCESS",null,null,null,null,null,[],null]
            ]} "#,
        )
        .unwrap();
        let read = |snapshot: &Snapshot| (snapshot.name.backup_id.get(), snapshot.state, snapshot.uuid.clone());
        let expected = [
            (1, SnapshotState::Success, Some("u1".to_owned())),
            (2, SnapshotState::Success, None),
            (3, SnapshotState::Unreadable, Some("u3".to_owned())),
        ];
        assert_eq!((listing.snapshots.iter().map(read).collect::<Vec<_>>(), listing.foreign), (expected.to_vec(), 1));
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
