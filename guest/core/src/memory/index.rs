use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::Timestamp;
use crate::restore::MARK;
use crate::verification::HOLDER;

/// What is in an index: what a snapshot holds of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredIndex {
    /// The document with the ID 1.
    pub document: Option<Value>,
    /// Its aliases, and whether new documents go there.
    pub aliases: BTreeMap<String, Option<bool>>,
    /// How many replicas it has.
    pub replicas: u64,
    /// Blocks that are set, such as `index.blocks.write`.
    pub blocks: Vec<String>,
    /// Its size in bytes.
    pub size: u64,
    /// How many documents it has besides that one.
    pub documents: u64,
}

impl StoredIndex {
    pub(super) const SIZE: u64 = 1_000;

    /// An index without documents. One that is called `{name}_v{N}` has the alias `{name}`, as Optimize's have.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let is_rolled_over = name.rsplit_once('-').is_some_and(|(_, counter)| counter.starts_with("0000"));
        let alias = name.rsplit_once("_v").map(|(alias, _)| (alias.to_owned(), is_rolled_over.then_some(true)));
        Self {
            document: None,
            aliases: alias.into_iter().collect(),
            replicas: 0,
            blocks: Vec::new(),
            size: Self::SIZE,
            documents: 0,
        }
    }
}

/// An index of a [`super::MemoryEngine`], with one primary shard.
#[derive(Clone, Debug)]
pub(super) struct Index {
    pub(super) uuid: String,
    pub(super) stored: StoredIndex,
    pub(super) mark: Option<String>,
    pub(super) holder: Option<String>,
    pub(super) is_closed: bool,
    pub(super) shard: Shard,
    pub(super) source: Source,
    /// Documents written since its shard was started.
    pub(super) writes: u64,
}

/// Where the primary shard is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shard {
    Started,
    Unassigned {
        reason: &'static str,
        details: Option<String>,
    },
    /// The engine restores it until then.
    Restoring(Timestamp),
}

/// What the primary shard was recovered from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Empty,
    ExistingStore,
    /// Another copy, on another node.
    Copy,
    /// A replica, which has become the primary since.
    Replica,
    Snapshot {
        repository: String,
        snapshot: String,
    },
}

impl Index {
    pub(super) fn new(uuid: String, stored: StoredIndex) -> Self {
        Self {
            uuid,
            stored,
            mark: None,
            holder: None,
            is_closed: false,
            shard: Shard::Started,
            source: Source::Empty,
            writes: 0,
        }
    }

    /// Those settings whose names are in a list, which can have patterns. `None`: it has none of them.
    pub(super) fn settings(&self, names: &str) -> Option<Value> {
        let mut settings = Map::from_iter([
            ("index.uuid".to_owned(), json!(self.uuid)),
            ("index.number_of_shards".to_owned(), json!("1")),
            ("index.number_of_replicas".to_owned(), json!(self.stored.replicas.to_string())),
        ]);
        settings.extend(self.stored.blocks.iter().map(|block| (block.clone(), json!("true"))));
        settings.extend(self.mark.iter().map(|mark| (MARK.to_owned(), json!(mark))));
        settings.extend(self.holder.iter().map(|holder| (HOLDER.to_owned(), json!(holder))));
        let is_meant = |setting: &str| {
            names.split(',').any(|name| match name.strip_suffix('*') {
                Some(begin) => setting.starts_with(begin),
                None => setting == name,
            })
        };
        settings.retain(|name, _| is_meant(name));
        (!settings.is_empty()).then(|| json!({"settings": settings}))
    }

    pub(super) fn shards(&self, name: &str) -> Vec<Value> {
        let (state, reason, details) = match &self.shard {
            Shard::Started => ("STARTED", None, None),
            Shard::Restoring(_) => ("INITIALIZING", Some("NEW_INDEX_RESTORED"), None),
            Shard::Unassigned { reason, details } => ("UNASSIGNED", Some(*reason), details.clone()),
        };
        let shard = |prirep: &str, state: &str, reason: Option<&str>, details: Option<String>| {
            json!({
                "index": name, "prirep": prirep, "state": state,
                "unassigned.reason": reason, "unassigned.details": details,
            })
        };
        let replicas = (0..self.stored.replicas).map(|_| shard("r", "UNASSIGNED", Some("INDEX_CREATED"), None));
        std::iter::once(shard("p", state, reason, details)).chain(replicas).collect()
    }

    /// `None`: its shard is on no node.
    pub(super) fn recovery(&self) -> Option<Value> {
        let (stage, done) = match self.shard {
            Shard::Started => ("DONE", self.stored.size),
            Shard::Restoring(_) => ("INDEX", self.stored.size / 2),
            Shard::Unassigned { .. } => return None,
        };
        let (kind, source) = match &self.source {
            Source::Empty => ("EMPTY_STORE", json!({})),
            Source::ExistingStore => ("EXISTING_STORE", json!({})),
            Source::Copy | Source::Replica => ("PEER", json!({})),
            Source::Snapshot { repository, snapshot } => {
                ("SNAPSHOT", json!({"repository": repository, "snapshot": snapshot}))
            }
        };
        let size = json!({"total_in_bytes": self.stored.size, "recovered_in_bytes": done, "reused_in_bytes": 0});
        Some(json!({"shards": [{
            "id": 0, "type": kind, "stage": stage, "primary": !matches!(self.source, Source::Replica), "source": source,
            "index": {"size": size},
        }]}))
    }

    pub(super) fn statistics(&self) -> Value {
        json!({
            "uuid": self.uuid,
            "primaries": {"indexing": {"index_total": self.writes, "delete_total": 0}},
            "total": {"store": {"size_in_bytes": self.stored.size}},
        })
    }

    /// `None`: its shard is not started.
    pub(super) fn documents(&self) -> Option<Value> {
        let count = self.stored.documents + u64::from(self.stored.document.is_some());
        (self.shard == Shard::Started).then(|| json!({"primaries": {"docs": {"count": count}}}))
    }

    pub(super) fn aliases(&self) -> Value {
        let alias = |is_write_index: &Option<bool>| match is_write_index {
            Some(is_write_index) => json!({"is_write_index": is_write_index}),
            None => json!({}),
        };
        let aliases: Map<String, Value> =
            self.stored.aliases.iter().map(|(name, is_write_index)| (name.clone(), alias(is_write_index))).collect();
        json!({"aliases": aliases})
    }
}
