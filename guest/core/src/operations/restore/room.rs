//! Whether the cluster has room for what is restored, and whether something writes to what is there.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::capacity::{Shards, available_bytes};
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
    match available_bytes(engine, facts.context, freed)? {
        Ok(available) => {
            let missing = bytes.saturating_sub(available);
            if missing > 0 {
                findings.push(finding(
                    FindingCode::DiskSpace,
                    format!(
                        "the disks of the data nodes lack about {missing} bytes: {bytes} are restored without replicas, and {available} are available below the watermarks, when {freed} have become free; add nodes or space"
                    ),
                ));
            }
        }
        Err(reason) => findings.push(not_checked("the space on the disks", reason)),
    }
    match Shards::of(engine, facts.context)? {
        Ok(known) => {
            findings.extend(known.refusal(shards).map(|reason| finding(FindingCode::ShardLimit, reason)));
            let nodes = known.nodes;
            if nodes > 0 && replicas >= nodes {
                findings.push(finding(
                    FindingCode::TooFewNodes,
                    format!(
                        "{replicas} replicas of an index and {nodes} data nodes: some replicas will not be assigned, and the indices stay yellow"
                    ),
                ));
            }
        }
        Err(reason) => findings.push(not_checked("the number of shards", reason)),
    }
    Ok(findings)
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
