use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::index::{Index, Shard, Source, StoredIndex};
use super::response::{Failure, Reply, not_known, refusal};
use crate::Timestamp;
use crate::restore::WRITE_BLOCK;

/// The indices of a cluster by their names.
#[derive(Debug, Default)]
pub(super) struct Indices {
    by_name: BTreeMap<String, Index>,
    pub(super) data_streams: Vec<String>,
    /// How many indices were created.
    created: u64,
}

impl Indices {
    /// An index, which is created if it does not exist.
    pub(super) fn index(&mut self, name: &str) -> &mut Index {
        let created = &mut self.created;
        self.by_name.entry(name.to_owned()).or_insert_with(|| Index::new(new_uuid(created), StoredIndex::new(name)))
    }

    pub(super) fn create(&mut self, name: &str, stored: StoredIndex) {
        self.by_name.insert(name.to_owned(), Index::new(new_uuid(&mut self.created), stored));
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Index> {
        self.by_name.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Index)> {
        self.by_name.iter()
    }

    /// The indices of a new snapshot. An empty list means all that there are.
    pub(super) fn chosen(&self, names: Vec<String>) -> Result<Vec<String>, Failure> {
        if names.is_empty() {
            return Ok(self.by_name.keys().cloned().collect());
        }
        self.expect(&names)?;
        Ok(names)
    }

    fn expect(&self, names: &[String]) -> Result<(), Failure> {
        match names.iter().find(|name| !self.by_name.contains_key(*name)) {
            Some(name) => Err(missing(name)),
            None => Ok(()),
        }
    }

    /// Those without a primary shard.
    pub(super) fn unassigned<'a>(&self, names: &'a [String]) -> Vec<&'a str> {
        let unassigned = |name: &&String| self.by_name.get(*name).is_some_and(|index| index.shard != Shard::Started);
        names.iter().filter(unassigned).map(String::as_str).collect()
    }

    /// Deletes all of these indices, or none if one does not exist.
    pub(super) fn delete(&mut self, names: &str) -> Reply {
        let names = exact(names)?;
        self.expect(&names)?;
        for name in names {
            self.by_name.remove(&name);
        }
        Ok(json!({"acknowledged": true}))
    }

    /// Changes all of these indices, or none if one does not exist.
    pub(super) fn change(&mut self, names: &str, change: impl Fn(&mut Index)) -> Reply {
        let names = exact(names)?;
        self.expect(&names)?;
        for name in names {
            change(self.index(&name));
        }
        Ok(json!({"acknowledged": true}))
    }

    /// Takes mark and block of all of these indices away, or of none if one does not exist.
    pub(super) fn release(&mut self, names: &str) -> Reply {
        self.change(names, |index| {
            index.mark = None;
            index.stored.blocks.retain(|block| block != WRITE_BLOCK);
        })
    }

    /// Adds an alias to an index.
    pub(super) fn add_alias(&mut self, index: &str, alias: &str, is_write_index: Option<bool>) -> Result<(), Failure> {
        let index = self.by_name.get_mut(index).ok_or_else(|| missing(index))?;
        index.stored.aliases.insert(alias.to_owned(), is_write_index);
        Ok(())
    }

    /// Ends the restores that are due.
    pub(super) fn finish_due(&mut self, now: Timestamp) {
        for index in self.by_name.values_mut() {
            if matches!(index.shard, Shard::Restoring(end) if end <= now) {
                index.shard = Shard::Started;
            }
        }
    }

    /// Stops and starts all nodes: what was being restored is lost, and nobody knows any more what was.
    pub(super) fn restart(&mut self) {
        for index in self.by_name.values_mut() {
            index.writes = 0;
            match index.shard {
                Shard::Restoring(_) => index.shard = Shard::Unassigned { reason: "CLUSTER_RECOVERED", details: None },
                Shard::Started => index.source = Source::ExistingStore,
                Shard::Unassigned { .. } => {}
            }
        }
    }

    /// The sizes of the indices that a pattern finds.
    pub(super) fn sizes(&self, pattern: &str) -> Reply {
        let size = |index: &Index| Some(json!({"primaries": {"store": {"size_in_bytes": index.stored.size}}}));
        Ok(json!({"indices": self.each(pattern, false, size)?}))
    }

    /// A document of each index that a pattern finds.
    pub(super) fn each(&self, pattern: &str, with_closed: bool, of: impl Fn(&Index) -> Option<Value>) -> Reply {
        let found = self.matching(pattern)?.filter(|(_, index)| with_closed || !index.is_closed);
        Ok(Value::Object(found.filter_map(|(name, index)| Some((name.clone(), of(index)?))).collect::<Map<_, _>>()))
    }

    pub(super) fn shards(&self, pattern: &str) -> Reply {
        let open = self.matching(pattern)?.filter(|(_, index)| !index.is_closed);
        Ok(open.flat_map(|(name, index)| index.shards(name)).collect())
    }

    fn matching(&self, pattern: &str) -> Result<impl Iterator<Item = (&String, &Index)>, Failure> {
        let Some(begin) = pattern.strip_suffix('*').filter(|begin| !begin.contains(['*', ','])) else {
            return Err(not_known("names or lists of indices here, but one pattern with a * at its end"));
        };
        let matches = move |name: &str| name.starts_with(begin);
        let found = self.by_name.iter();
        Ok(found.filter(move |(name, index)| matches(name) || index.stored.aliases.keys().any(|alias| matches(alias))))
    }

    /// The indices that a pattern finds, with their aliases.
    pub(super) fn resolve(&self, pattern: &str) -> Reply {
        let Some(begin) = pattern.strip_suffix('*').filter(|begin| !begin.contains(['*', ','])) else {
            return Err(not_known("names or lists to resolve, but one pattern with a * at its end"));
        };
        let (mut indices, mut aliases) = (Vec::new(), BTreeMap::<&str, Vec<&str>>::new());
        for (name, index) in &self.by_name {
            for alias in index.stored.aliases.keys().filter(|alias| alias.starts_with(begin)) {
                aliases.entry(alias).or_default().push(name);
            }
            if name.starts_with(begin) {
                let own: Vec<&String> = index.stored.aliases.keys().collect();
                let attribute = if index.is_closed { "closed" } else { "open" };
                indices.push(json!({"name": name, "aliases": own, "attributes": [attribute]}));
            }
        }
        let aliases: Vec<Value> =
            aliases.into_iter().map(|(name, indices)| json!({"name": name, "indices": indices})).collect();
        let streams = self.data_streams.iter().filter(|name| name.starts_with(begin));
        let streams: Vec<Value> = streams.map(|name| json!({"name": name})).collect();
        Ok(json!({"indices": indices, "aliases": aliases, "data_streams": streams}))
    }

    /// One field of the document 1 of an index or alias.
    pub(super) fn document(&self, target: &str, field: &str) -> Reply {
        let is_meant = |(name, index): &(&String, &Index)| *name == target || index.stored.aliases.contains_key(target);
        let (name, index) = self.by_name.iter().find(is_meant).ok_or_else(|| missing(target))?;
        if index.shard != Shard::Started {
            let reason = format!("[{name}][0] primary shard is not active");
            return Err(refusal(503, "no_shard_available_action_exception", reason));
        }
        let Some(document) = &index.stored.document else {
            return Err(Failure { status: 404, body: json!({"_index": name, "_id": "1", "found": false}) });
        };
        let source = document.get(field).map_or_else(|| json!({}), |value| json!({field: value}));
        Ok(json!({"_index": name, "_id": "1", "found": true, "_source": source}))
    }
}

fn new_uuid(created: &mut u64) -> String {
    *created += 1;
    format!("uuid-of-index-{created}")
}

pub(super) fn missing(name: &str) -> Failure {
    refusal(404, "index_not_found_exception", format!("no such index [{name}]"))
}

fn exact(names: &str) -> Result<Vec<String>, Failure> {
    if names.contains('*') {
        return Err(not_known("patterns here"));
    }
    Ok(names.split(',').map(str::to_owned).collect())
}
