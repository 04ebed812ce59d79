//! What a new snapshot's metadata tells of the installation, for a later verification.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::refusal::{document, success};
use crate::selection::has_entities;
use crate::{Context, Engine, IndexSelection, Installation, Origin, Part, Request, Response};

impl Origin {
    /// The same, with what is counted just before a part is begun. What cannot be counted is left out: no backup fails
    /// because of it.
    pub(super) fn recording(
        self,
        engine: &impl Engine,
        context: &Context,
        installation: &Installation,
        selection: &IndexSelection,
    ) -> Self {
        let indices: usize = Part::ALL.into_iter().map(|part| installation.count(part)).sum();
        let counted = count(engine, context).unwrap_or_default();
        let sum = |is_meant: &dyn Fn(&str) -> bool| {
            let meant = selection.names().iter().filter(|name| is_meant(name));
            meant.filter_map(|name| counted.get(name)).copied().reduce(u64::saturating_add)
        };
        let prefix = &context.settings.index_prefix;
        let (documents, entities) = (sum(&|_| true), sum(&|name| has_entities(prefix, name)));
        Self { indices: Some(indices as u64), documents, entities, ..self }
    }
}

/// How many documents the installation's indices have.
fn count(engine: &impl Engine, context: &Context) -> Option<BTreeMap<String, u64>> {
    let request = Request::documents(&context.settings.index_prefix);
    documents(&request, &engine.send(&request).ok()?)
}

/// Reads the answer to [`Request::documents`]. `None`: it does not tell, or only of some shards. A shard on no node is not told
/// as failed: it can be a replica, which counts for nothing.
fn documents(request: &Request, response: &Response) -> Option<BTreeMap<String, u64>> {
    let raw: RawStatistics = document(request, success(response).ok()?).ok()?;
    (raw.shards.failed == 0).then(|| raw.counts())
}

/// The same of copies, which have no replicas: each shard counts.
pub(super) fn documents_of_copies(request: &Request, response: &Response) -> Option<BTreeMap<String, u64>> {
    let raw: RawStatistics = document(request, success(response).ok()?).ok()?;
    let RawShards { total, successful, failed } = raw.shards;
    (failed == 0 && total == successful).then(|| raw.counts())
}

#[derive(Deserialize)]
struct RawStatistics {
    #[serde(rename = "_shards", default)]
    shards: RawShards,
    #[serde(default)]
    indices: BTreeMap<String, RawIndex>,
}

impl RawStatistics {
    fn counts(self) -> BTreeMap<String, u64> {
        let count = |(name, index): (String, RawIndex)| Some((name, index.primaries.docs?.count));
        self.indices.into_iter().filter_map(count).collect()
    }
}

#[derive(Clone, Copy, Default, Deserialize)]
struct RawShards {
    #[serde(default)]
    total: u64,
    #[serde(default)]
    successful: u64,
    #[serde(default)]
    failed: u64,
}

#[derive(Deserialize)]
struct RawIndex {
    #[serde(default)]
    primaries: RawPrimaries,
}

#[derive(Default, Deserialize)]
struct RawPrimaries {
    docs: Option<RawDocuments>,
}

#[derive(Deserialize)]
struct RawDocuments {
    count: u64,
}
