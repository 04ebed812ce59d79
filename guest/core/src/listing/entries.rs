//! Reads an engine's list of snapshots.
//!
//! The text is read once, as if every entry made sense. Only where one does not, it is read again entry by entry, so that
//! this one hides no other.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Listing;
use crate::json::{Object, object};
use crate::metadata::Metadata;
use crate::refusal::document;
use crate::text::cut;
use crate::{Error, Origin, RepositoryName, Request, Snapshot, SnapshotName, SnapshotState, Timestamp};

pub(super) fn read(request: &Request, body: &str, repository: &RepositoryName) -> Result<Listing, Error> {
    let (listing, failures) = match object::<List<SoundEntries>>(body) {
        Ok(list) => (list.snapshots.0, list.failures),
        Err(_) => {
            let list: List<Vec<&RawValue>> = document(request, body)?;
            (entry_by_entry(list.snapshots), list.failures)
        }
    };
    if failures.contains_key(repository.as_str()) {
        // Elasticsearch 8.11 and 7.17 tell of a missing repository with 200.
        return Err(Error::RepositoryMissing { repository: repository.clone(), refusal: None });
    }
    Ok(listing)
}

#[derive(Deserialize)]
struct List<E> {
    #[serde(default = "E::default", bound(deserialize = "E: Deserialize<'de> + Default"))]
    snapshots: E,
    #[serde(default)]
    failures: BTreeMap<String, IgnoredAny>,
}

/// Entries that all make sense.
#[derive(Default)]
struct SoundEntries(Listing);

impl<'de> Deserialize<'de> for SoundEntries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntriesVisitor).map(Self)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Listing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of snapshots")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Listing, A::Error> {
        let mut listing = Listing::default();
        while let Some(Object(raw)) = entries.next_element::<Object<RawSnapshot<'de, Object<Metadata>>>>()? {
            listing.add(raw.into_snapshot(|metadata| metadata.0.optimize_backup));
        }
        Ok(listing)
    }
}

fn entry_by_entry(entries: Vec<&RawValue>) -> Listing {
    let mut listing = Listing::default();
    for entry in entries {
        listing.add(read_entry(entry.get()));
    }
    listing
}

impl Listing {
    /// `None`: a snapshot that is not of a backup.
    fn add(&mut self, snapshot: Option<Snapshot>) {
        match snapshot {
            Some(snapshot) => self.snapshots.push(snapshot),
            None => self.foreign += 1,
        }
    }
}

fn read_entry(entry: &str) -> Option<Snapshot> {
    match object::<RawSnapshot<'_, &RawValue>>(entry) {
        // Others may write anything into the metadata.
        Ok(raw) => raw.into_snapshot(|metadata| Origin::read(metadata.get())),
        Err(error) => {
            let raw: RawName<'_> = object(entry).ok()?;
            let reason = format!("the search engine's answer about it makes no sense ({error})");
            Some(Snapshot::unreadable(SnapshotName::parse(&raw.snapshot)?, text(raw.uuid), cut(reason, 2_000)))
        }
    }
}

fn text(value: Option<&RawValue>) -> Option<String> {
    value.and_then(|value| serde_json::from_str(value.get()).ok())
}

/// The fields that are still read of an entry whose others cannot be.
#[derive(Deserialize)]
struct RawName<'a> {
    #[serde(borrow)]
    snapshot: Cow<'a, str>,
    #[serde(borrow)]
    uuid: Option<&'a RawValue>,
}

/// A snapshot, with its metadata as `M`.
#[derive(Deserialize)]
#[serde(bound(deserialize = "M: Deserialize<'de>, 'de: 'a"))]
struct RawSnapshot<'a, M> {
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
    metadata: Option<M>,
}

#[derive(Deserialize)]
struct RawFailure {
    index: Option<String>,
    shard_id: Option<u64>,
    node_id: Option<String>,
    reason: Option<String>,
}

impl<M> RawSnapshot<'_, M> {
    /// `None`: its name is not a backup's.
    fn into_snapshot(self, origin: impl FnOnce(M) -> Option<Origin>) -> Option<Snapshot> {
        let name = SnapshotName::parse(&self.snapshot)?;
        let uuid = text(self.uuid);
        let Some(state) = SnapshotState::parse(&self.state) else {
            let reason = format!("the search engine gives it a state that is not known: {}", self.state);
            return Some(Snapshot::unreadable(name, uuid, reason));
        };
        // A running snapshot has the end time 0.
        let moment = |millis: Option<u64>| millis.filter(|&millis| millis > 0).map(Timestamp);
        Some(Snapshot {
            name,
            uuid,
            state,
            started: moment(self.start_time_in_millis),
            ended: moment(self.end_time_in_millis),
            reason: self.reason,
            failures: self.failures.into_iter().map(RawFailure::into_line).collect(),
            version: self.version,
            version_id: self.version_id,
            origin: self.metadata.and_then(origin),
            installation: None,
        })
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
mod tests;
