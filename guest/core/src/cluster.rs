use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{EngineKind, Snapshot};

/// Which snapshots a cluster can restore, derived from the versions of its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    kind: EngineKind,
    /// The version of its oldest node, for messages.
    version: String,
    /// The newest format that every node can read.
    newest_format: FormatVersion,
    /// The highest major version among the nodes, which decides how old a snapshot may be.
    newest_major: u64,
}

/// Why a cluster cannot restore a snapshot.
#[allow(missing_docs, reason = "each case is explained by its message")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error(
        "was written by version {snapshot}, which is newer than this cluster's {cluster}: restore it on that version or a later one"
    )]
    TooNew { snapshot: String, cluster: String },
    #[error(
        "was written by version {snapshot}, two or more major versions before this cluster's {cluster}: restore it on the major version in between first"
    )]
    TooOld { snapshot: String, cluster: String },
    #[error(
        "was written by OpenSearch {snapshot}, which Elasticsearch cannot read; if this cluster is OpenSearch, set backup.database (CAMUNDA_OPTIMIZE_DATABASE) to opensearch"
    )]
    OfOpenSearch { snapshot: String },
}

/// A version as engines compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FormatVersion(u64);

impl FormatVersion {
    /// OpenSearch sets this bit in its own ids, so that they are above those of the Elasticsearch
    /// versions that it descends from.
    const OPENSEARCH_BIT: u64 = 0x0800_0000;
    /// An id is `major * 1_000_000 + …` on every engine, below that bit.
    const PER_MAJOR: u64 = 1_000_000;

    /// The id of a release: 7.17.24 → 7172499.
    fn of_release(kind: EngineKind, version: &str) -> Option<Self> {
        let mut numbers = version.split(['.', '-']).map(|number| number.parse::<u64>().ok());
        let (major, minor, patch) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let id = major.checked_mul(Self::PER_MAJOR)?.checked_add(minor.checked_mul(10_000)?)?;
        let id = id.checked_add(patch.checked_mul(100)?)?.checked_add(99)?;
        Some(Self(match kind {
            EngineKind::Elasticsearch => id,
            EngineKind::OpenSearch => id ^ Self::OPENSEARCH_BIT,
        }))
    }

    /// The major version in the line of the engine that wrote it. OpenSearch 1, 2, 3 continue
    /// Elasticsearch 7 as 8, 9, 10: 1.x reads what 7.x wrote, 2.x what 1.x and 7.x wrote.
    fn major(self) -> u64 {
        (self.0 & !Self::OPENSEARCH_BIT) / Self::PER_MAJOR
    }

    /// The version as users know it: 7172499 → 7.17.24. Since 8.11, Elasticsearch's ids are no longer made of a release's
    /// numbers, but for the first: 8536000 → 8.x (index version 8536000).
    fn name(self) -> String {
        let id = self.0 & !Self::OPENSEARCH_BIT;
        let (major, minor, patch) = (id / Self::PER_MAJOR, id / 10_000 % 100, id / 100 % 100);
        let is_release = id % 100 == 99 || self.is_opensearch();
        if is_release { format!("{major}.{minor}.{patch}") } else { format!("{major}.x (index version {id})") }
    }

    fn is_opensearch(self) -> bool {
        self.0 & Self::OPENSEARCH_BIT != 0
    }
}

impl Cluster {
    /// Reads the response to [`Request::node_versions`](crate::Request::node_versions).
    pub(crate) fn new(kind: EngineKind, nodes: NodeVersions) -> Option<Self> {
        let mut releases = Vec::new();
        let mut formats = Vec::new();
        for node in nodes.nodes.into_values() {
            let release = FormatVersion::of_release(kind, &node.version)?;
            formats.push(node.index_version.map_or(release, FormatVersion));
            releases.push((release, node.version));
        }
        let newest_major = releases.iter().map(|(release, _)| release.major()).max()?;
        let (_, version) = releases.into_iter().min()?;
        Some(Self { kind, version, newest_format: formats.into_iter().min()?, newest_major })
    }

    /// Whether this cluster can restore a snapshot. One without a version counts as readable: a restore would show
    /// otherwise.
    ///
    /// # Errors
    /// [`ReadError`] says why not.
    pub fn can_read(&self, snapshot: &Snapshot) -> Result<(), ReadError> {
        let Some(written) = snapshot.version_id.map(FormatVersion) else { return Ok(()) };
        // Not by the version's name: an engine that does not know the version invents one.
        if written.is_opensearch() && self.kind == EngineKind::Elasticsearch {
            return Err(ReadError::OfOpenSearch { snapshot: written.name() });
        }
        if written > self.newest_format {
            return Err(ReadError::TooNew { snapshot: written.name(), cluster: self.version.clone() });
        }
        if written.major() < self.oldest_major(written) {
            let named = snapshot.version.clone().unwrap_or_else(|| written.name());
            return Err(ReadError::TooOld { snapshot: named, cluster: self.version.clone() });
        }
        Ok(())
    }

    /// The oldest major version that is read, in the numbering of `written`.
    fn oldest_major(&self, written: FormatVersion) -> u64 {
        match (self.kind, written.is_opensearch(), self.newest_major) {
            // OpenSearch's own compatibility with the Elasticsearch it was forked from at 7.10.
            (EngineKind::OpenSearch, false, 1) => 6,
            (EngineKind::OpenSearch, false, 2) => 7,
            (EngineKind::OpenSearch, false, _) => u64::MAX,
            (_, _, major) => major.saturating_sub(1),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct NodeVersions {
    #[serde(default)]
    nodes: BTreeMap<String, NodeVersion>,
}

#[derive(Deserialize)]
struct NodeVersion {
    version: String,
    index_version: Option<u64>,
}

#[cfg(test)]
mod tests;
