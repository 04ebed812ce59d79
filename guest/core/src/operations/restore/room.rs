//! Whether the cluster has room for what is restored, and whether something writes to what is there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::findings::{Facts, finding, not_checked};
use super::parts::{Sizes, advice};
use crate::restore::{Finding, FindingCode, IndexState, IndexWrites, Target};
use crate::{Context, Engine, Error, IndexPrefix, Request};

/// What the open indices under a prefix tell of themselves.
pub(super) struct Statistics {
    pub(super) writes: Vec<IndexWrites>,
    /// The bytes of each index with its replicas.
    sizes: BTreeMap<String, u64>,
    not_checked: Option<Finding>,
}

pub(super) fn statistics(engine: &impl Engine, context: &Context, prefix: &IndexPrefix) -> Result<Statistics, Error> {
    let request = Request::index_statistics(prefix);
    let (raw, not_checked) = match advice::<RawStatistics>(engine, context, &request)? {
        Ok(raw) => (raw, None),
        Err(reason) => (RawStatistics::default(), Some(not_checked("whether something writes to the indices", reason))),
    };
    let own = raw.indices.into_iter().filter(|(name, _)| prefix.strip(name).is_some());
    let (mut writes, mut sizes) = (Vec::new(), BTreeMap::new());
    for (index, raw) in own {
        sizes.insert(index.clone(), raw.total.store.size_in_bytes);
        let RawIndexing { index_total, delete_total } = raw.primaries.indexing;
        writes.push(IndexWrites { index, uuid: raw.uuid, writes: index_total.saturating_add(delete_total) });
    }
    Ok(Statistics { writes, sizes, not_checked })
}

/// Whether documents were written since an earlier look.
pub(super) fn writing(now: &Statistics, earlier: Option<&[IndexWrites]>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = now.not_checked.iter().cloned().collect();
    let grew = |later: &&IndexWrites| {
        let before = earlier.unwrap_or_default().iter().find(|before| before.index == later.index);
        before.is_some_and(|before| before.uuid == later.uuid && later.writes > before.writes)
    };
    let written: Vec<&String> = now.writes.iter().filter(grew).map(|writes| &writes.index).collect();
    if !written.is_empty() {
        findings.push(finding(
            FindingCode::OptimizeIsWriting,
            format!(
                "documents are being written to {}: stop Optimize, all of its replicas, and whatever else writes there",
                super::findings::named(written)
            ),
        ));
    }
    findings
}

/// Whether disks, shards and nodes suffice.
pub(super) fn room(
    engine: &impl Engine,
    facts: &Facts<'_>,
    sizes: &Sizes,
    statistics: &Statistics,
) -> Result<Vec<Finding>, Error> {
    let Need { bytes, freed, shards, replicas } = Need::of(facts, sizes, statistics);
    let mut findings = Vec::new();
    match available_bytes(engine, facts.context)? {
        Ok(available) => {
            let missing = bytes.saturating_sub(freed).saturating_sub(available);
            if available > 0 && missing > 0 {
                findings.push(finding(
                    FindingCode::DiskSpace,
                    format!(
                        "the disks of the data nodes lack about {missing} bytes: {bytes} are restored without replicas, {freed} become free, and {available} are available; add nodes or space"
                    ),
                ));
            }
        }
        Err(reason) => findings.push(not_checked("the space on the disks", reason)),
    }
    let size = advice::<RawClusterSize>(engine, facts.context, &Request::cluster_size())?;
    let limit = advice::<Value>(engine, facts.context, &Request::shard_limit())?;
    match (size, limit) {
        (Ok(size), Ok(limit)) => {
            let nodes = size.number_of_data_nodes;
            let allowed = shards_per_node(&limit).map(|limit| limit.saturating_mul(nodes));
            let then = size.active_shards.saturating_add(size.unassigned_shards).saturating_add(shards);
            if shards > 0 && allowed.is_some_and(|allowed| then > allowed) {
                findings.push(finding(
                    FindingCode::ShardLimit,
                    format!(
                        "the cluster would have {then} shards and more than cluster.max_shards_per_node allows its {nodes} data nodes: raise that setting, or add a node"
                    ),
                ));
            }
            if nodes > 0 && replicas >= nodes {
                findings.push(finding(
                    FindingCode::TooFewNodes,
                    format!(
                        "{replicas} replicas of an index and {nodes} data nodes: some replicas will not be assigned, and the indices stay yellow"
                    ),
                ));
            }
        }
        (Err(reason), _) | (_, Err(reason)) => findings.push(not_checked("the number of shards", reason)),
    }
    Ok(findings)
}

/// The space on the disks of the data nodes. `Err` within: it is not known.
pub(in crate::operations) fn available_bytes(
    engine: &impl Engine,
    context: &Context,
) -> Result<Result<u64, String>, Error> {
    Ok(advice::<RawNodes>(engine, context, &Request::disk_space())?.map(|nodes| nodes.available()))
}

/// What the restore needs.
struct Need {
    bytes: u64,
    freed: u64,
    /// Primary shards that there are more.
    shards: u64,
    /// The most replicas of an index, where they are known.
    replicas: u64,
}

impl Need {
    fn of(facts: &Facts<'_>, sizes: &Sizes, statistics: &Statistics) -> Self {
        let mut need = Self { bytes: 0, freed: 0, shards: 0, replicas: 0 };
        for (target, state) in facts.targets.iter().zip(facts.states) {
            let Some((bytes, shards)) = sizes.get(&target.index).copied() else { continue };
            match state {
                IndexState::Missing => {
                    need.bytes = need.bytes.saturating_add(bytes);
                    need.shards = need.shards.saturating_add(shards);
                }
                IndexState::Old => {
                    need.bytes = need.bytes.saturating_add(bytes);
                    need.count_replaced(facts, target, statistics);
                }
                _ => {}
            }
        }
        need
    }

    fn count_replaced(&mut self, facts: &Facts<'_>, target: &Target, statistics: &Statistics) {
        let size = statistics.sizes.get(&target.name).copied().unwrap_or_default();
        self.freed = self.freed.saturating_add(size);
        if let Some(found) = facts.found.get(&target.name) {
            self.replicas = self.replicas.max(found.replicas);
        }
    }
}

/// The setting as the operator has set it, or its default.
fn shards_per_node(settings: &Value) -> Option<u64> {
    let kinds = ["transient", "persistent", "defaults"];
    let set = kinds.into_iter().find_map(|kind| settings.get(kind)?.pointer("/cluster/max_shards_per_node"))?;
    set.as_str()?.parse().ok()
}

#[derive(Default, Deserialize)]
struct RawStatistics {
    #[serde(default)]
    indices: BTreeMap<String, RawIndex>,
}

#[derive(Deserialize)]
struct RawIndex {
    #[serde(default)]
    uuid: String,
    #[serde(default)]
    primaries: RawPrimaries,
    #[serde(default)]
    total: RawTotal,
}

#[derive(Default, Deserialize)]
struct RawPrimaries {
    #[serde(default)]
    indexing: RawIndexing,
}

#[derive(Default, Deserialize)]
struct RawIndexing {
    #[serde(default)]
    index_total: u64,
    #[serde(default)]
    delete_total: u64,
}

#[derive(Default, Deserialize)]
struct RawTotal {
    #[serde(default)]
    store: RawStore,
}

#[derive(Default, Deserialize)]
struct RawStore {
    #[serde(default)]
    size_in_bytes: u64,
}

#[derive(Deserialize)]
struct RawNodes {
    #[serde(default)]
    nodes: BTreeMap<String, RawNode>,
}

#[derive(Deserialize)]
struct RawNode {
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    fs: RawFs,
}

#[derive(Default, Deserialize)]
struct RawFs {
    #[serde(default)]
    total: RawSpace,
}

#[derive(Default, Deserialize)]
struct RawSpace {
    #[serde(default)]
    available_in_bytes: u64,
}

impl RawNodes {
    fn available(&self) -> u64 {
        let holds_data = |node: &&RawNode| node.roles.iter().any(|role| role.starts_with("data"));
        self.nodes.values().filter(holds_data).map(|node| node.fs.total.available_in_bytes).sum()
    }
}

#[derive(Deserialize)]
struct RawClusterSize {
    #[serde(default)]
    number_of_data_nodes: u64,
    #[serde(default)]
    active_shards: u64,
    #[serde(default)]
    unassigned_shards: u64,
}
