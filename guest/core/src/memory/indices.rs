use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::response::{Failure, Reply, not_known, refusal};

/// The indices of a cluster by their names.
///
/// An index `{name}_v{N}` has the alias `{name}`, as Optimize's have.
#[derive(Debug, Default)]
pub(super) struct Indices(BTreeMap<String, Index>);

/// An index.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) has_no_primary: bool,
    /// The document with the id 1.
    pub(super) document: Option<Value>,
    /// In bytes. `None`: [`DEFAULT_SIZE`].
    pub(super) size: Option<u64>,
}

const DEFAULT_SIZE: u64 = 1000;

impl Indices {
    /// An index, which is created if it does not exist.
    pub(super) fn index(&mut self, name: &str) -> &mut Index {
        self.0.entry(name.to_owned()).or_default()
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The indices of a new snapshot. An empty list means all that there are.
    pub(super) fn chosen(&self, names: Vec<String>) -> Result<Vec<String>, Failure> {
        if names.is_empty() {
            return Ok(self.0.keys().cloned().collect());
        }
        match names.iter().find(|name| !self.0.contains_key(*name)) {
            Some(name) => Err(missing(name)),
            None => Ok(names),
        }
    }

    /// Those without a primary shard.
    pub(super) fn unassigned<'a>(&self, names: &'a [String]) -> Vec<&'a str> {
        let unassigned = |name: &&String| self.0.get(*name).is_some_and(|index| index.has_no_primary);
        names.iter().filter(unassigned).map(String::as_str).collect()
    }

    /// The size of an index; also of one that is gone, which a snapshot may still have.
    pub(super) fn size(&self, name: &str) -> u64 {
        self.0.get(name).and_then(|index| index.size).unwrap_or(DEFAULT_SIZE)
    }

    /// The sizes of the indices that a pattern finds.
    pub(super) fn sizes(&self, pattern: &str) -> Reply {
        let Some(begin) = pattern.strip_suffix('*').filter(|begin| !begin.contains(['*', ','])) else {
            return Err(not_known("sizes but of one pattern with a * at its end"));
        };
        let size = |name: &String| json!({"primaries": {"store": {"size_in_bytes": self.size(name)}}});
        let found = self.0.keys().filter(|name| name.starts_with(begin));
        Ok(json!({"indices": found.map(|name| (name.clone(), size(name))).collect::<BTreeMap<_, _>>()}))
    }

    /// The indices that a pattern finds, with their aliases.
    pub(super) fn resolve(&self, pattern: &str) -> Reply {
        let Some(begin) = pattern.strip_suffix('*').filter(|begin| !begin.contains(['*', ','])) else {
            return Err(not_known("names or lists to resolve, but one pattern with a * at its end"));
        };
        let found = self.0.keys().filter(|name| name.starts_with(begin));
        let (mut indices, mut aliases) = (Vec::new(), BTreeMap::<&str, Vec<&str>>::new());
        for name in found {
            let own: Vec<&str> = alias(name).into_iter().collect();
            own.iter().for_each(|alias| aliases.entry(alias).or_default().push(name));
            indices.push(json!({"name": name, "aliases": own, "attributes": ["open"]}));
        }
        let aliases: Vec<Value> =
            aliases.into_iter().map(|(name, indices)| json!({"name": name, "indices": indices})).collect();
        Ok(json!({"indices": indices, "aliases": aliases, "data_streams": []}))
    }

    /// One field of the document 1 of an index or alias.
    pub(super) fn document(&self, target: &str, field: &str) -> Reply {
        let found = self.0.iter().find(|(name, _)| *name == target || alias(name) == Some(target));
        let (name, index) = found.ok_or_else(|| missing(target))?;
        let Some(document) = &index.document else {
            return Err(Failure { status: 404, body: json!({"_index": name, "_id": "1", "found": false}) });
        };
        let source = document.get(field).map_or_else(|| json!({}), |value| json!({field: value}));
        Ok(json!({"_index": name, "_id": "1", "found": true, "_source": source}))
    }
}

fn missing(name: &str) -> Failure {
    refusal(404, "index_not_found_exception", format!("no such index [{name}]"))
}

/// `optimize-alert_v4` → `optimize-alert`.
fn alias(index: &str) -> Option<&str> {
    index.rsplit_once("_v").map(|(alias, _)| alias)
}
