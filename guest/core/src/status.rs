//! Reads the engine's status of a snapshot, and the sizes of indices.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::progress::{Amounts, ByteCount, ShardCount};

/// The answer to [`Request::status`](crate::Request::status).
#[derive(Debug, Deserialize)]
pub(crate) struct Statuses {
    snapshots: Vec<Status>,
}

#[derive(Debug, Deserialize)]
struct Status {
    snapshot: String,
    shards_stats: RawShards,
    #[serde(default)]
    stats: RawStats,
    #[serde(default)]
    indices: BTreeMap<String, RawIndex>,
}

#[derive(Debug, Deserialize)]
struct RawShards {
    total: u32,
    done: u32,
    failed: u32,
}

#[derive(Debug, Default, Deserialize)]
struct RawStats {
    #[serde(default)]
    incremental: RawSize,
    /// Engines leave it out where everything is written.
    processed: Option<RawSize>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct RawSize {
    size_in_bytes: u64,
}

#[derive(Debug, Deserialize)]
struct RawIndex {
    #[serde(default)]
    shards: BTreeMap<String, RawShard>,
}

#[derive(Debug, Deserialize)]
struct RawShard {
    stage: String,
}

impl Statuses {
    /// What is told of the snapshot with this name.
    ///
    /// An engine writes a few shards at a time, and counts the bytes of those which it has begun. For the others stand the
    /// sizes of their indices, which are at least what is new in them, or the mean of those begun.
    pub(crate) fn amounts_of(&self, name: &str, sizes: &IndexSizes) -> Option<Amounts> {
        let status = self.snapshots.iter().find(|status| status.snapshot == name)?;
        let RawShards { total, done, failed } = status.shards_stats;
        let shards = ShardCount { total, done: done.min(total), failed: failed.min(total.saturating_sub(done)) };
        let begun = status.stats.incremental.size_in_bytes;
        let written = status.stats.processed.map_or(begun, |size| size.size_in_bytes);
        let total = begun.saturating_add(status.waiting_bytes(sizes));
        Some(Amounts { bytes: ByteCount { total, done: written.min(total) }, shards })
    }
}

impl Status {
    /// The estimated bytes of the shards that are not begun.
    fn waiting_bytes(&self, sizes: &IndexSizes) -> u64 {
        let waiting: u64 = self.indices.values().map(RawIndex::waiting).sum();
        let begun = u64::from(self.shards_stats.total).saturating_sub(waiting);
        let mean = self.stats.incremental.size_in_bytes.checked_div(begun).unwrap_or_default();
        let bytes = self.indices.iter().map(|(name, index)| {
            let size = sizes.of(name).and_then(|size| size.checked_div(index.shards.len() as u64));
            size.unwrap_or(mean).saturating_mul(index.waiting())
        });
        bytes.fold(0, u64::saturating_add)
    }
}

impl RawIndex {
    /// How many of its shards the engine has not begun.
    fn waiting(&self) -> u64 {
        self.shards.values().filter(|shard| shard.stage == "INIT").count() as u64
    }
}

/// The answer to [`Request::index_sizes`](crate::Request::index_sizes).
#[derive(Debug, Default, Deserialize)]
pub(crate) struct IndexSizes {
    #[serde(default)]
    indices: BTreeMap<String, RawIndexSize>,
}

#[derive(Debug, Deserialize)]
struct RawIndexSize {
    primaries: RawPrimaries,
}

#[derive(Debug, Deserialize)]
struct RawPrimaries {
    store: RawSize,
}

impl IndexSizes {
    fn of(&self, index: &str) -> Option<u64> {
        self.indices.get(index).map(|index| index.primaries.store.size_in_bytes)
    }
}

#[cfg(test)]
mod tests;
