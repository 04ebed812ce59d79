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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// An older engine never reads what a newer one wrote.
    #[error(
        "was written by version {snapshot}, which is newer than this cluster's {cluster}: restore it on that version or a later one"
    )]
    TooNew {
        /// The version that wrote the snapshot.
        snapshot: String,
        /// The version of the cluster's oldest node.
        cluster: String,
    },
    /// An engine reads what its own and the previous major version wrote.
    #[error(
        "was written by version {snapshot}, two or more major versions before this cluster's {cluster}: restore it on the major version in between first"
    )]
    TooOld {
        /// The version that wrote the snapshot.
        snapshot: String,
        /// The version of the cluster's oldest node.
        cluster: String,
    },
    /// Elasticsearch reads nothing of OpenSearch's, or the wrong kind of engine is configured.
    #[error(
        "was written by OpenSearch {snapshot}, which Elasticsearch cannot read; if this cluster is OpenSearch, set backup.database (CAMUNDA_OPTIMIZE_DATABASE) to opensearch"
    )]
    OfOpenSearch {
        /// The version that wrote the snapshot.
        snapshot: String,
    },
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
mod tests {
    use super::*;
    use crate::SnapshotName;

    fn cluster(kind: EngineKind, nodes: &[(&str, Option<u64>)]) -> Cluster {
        let nodes = nodes.iter().enumerate().map(|(n, &(version, index_version))| {
            (n.to_string(), NodeVersion { version: version.to_owned(), index_version })
        });
        Cluster::new(kind, NodeVersions { nodes: nodes.collect() }).unwrap()
    }

    fn written_by(version_id: u64) -> Snapshot {
        let name = SnapshotName::parse("camunda_optimize_1_8.6.0_part_1_of_2").unwrap();
        Snapshot { version_id: Some(version_id), ..Snapshot::unreadable(name, None, String::new()) }
    }

    fn verdict(cluster: &Cluster, version_id: u64) -> &'static str {
        match cluster.can_read(&written_by(version_id)) {
            Ok(()) => "readable",
            Err(ReadError::TooNew { .. }) => "too new",
            Err(ReadError::TooOld { .. }) => "too old",
            Err(ReadError::OfOpenSearch { .. }) => "of OpenSearch",
        }
    }

    #[test]
    fn elasticsearch_reads_its_own_and_the_previous_major_version() {
        let es819 = cluster(EngineKind::Elasticsearch, &[("8.19.0", Some(8_536_000))]);
        let es811 = cluster(EngineKind::Elasticsearch, &[("8.11.0", Some(8_500_003))]);
        let es717 = cluster(EngineKind::Elasticsearch, &[("7.17.24", None)]);
        let es92 = cluster(EngineKind::Elasticsearch, &[("9.2.0", Some(9_039_001))]);
        for (cluster, version_id, expected) in [
            (&es819, 8_536_000, "readable"),
            (&es819, 8_500_003, "readable"),
            (&es819, 7_172_499, "readable"),
            (&es819, 6_082_399, "too old"),
            (&es819, 9_039_001, "too new"),
            (&es92, 9_039_001, "readable"),
            (&es92, 8_536_000, "readable"),
            (&es92, 7_172_499, "too old"),
            (&es811, 8_536_000, "too new"),
            (&es811, 8_500_003, "readable"),
            (&es717, 8_500_003, "too new"),
            (&es717, 7_172_499, "readable"),
            (&es717, 7_100_299, "readable"),
            (&es717, 6_082_399, "readable"),
            (&es717, 5_061_699, "too old"),
            (&es819, 2_190_099 ^ FormatVersion::OPENSEARCH_BIT, "of OpenSearch"),
        ] {
            assert_eq!(verdict(cluster, version_id), expected, "{version_id} on {}", cluster.version);
        }
    }

    #[test]
    fn opensearch_reads_what_it_was_forked_from() {
        let os2 = cluster(EngineKind::OpenSearch, &[("2.19.0", None)]);
        let os1 = cluster(EngineKind::OpenSearch, &[("1.3.0", None)]);
        let os3 = cluster(EngineKind::OpenSearch, &[("3.0.0", None)]);
        let opensearch = |id: u64| id ^ FormatVersion::OPENSEARCH_BIT;
        for (cluster, version_id, expected) in [
            (&os2, opensearch(2_190_099), "readable"),
            (&os2, opensearch(1_030_099), "readable"),
            (&os2, opensearch(3_000_099), "too new"),
            (&os2, 7_100_299, "readable"),
            (&os2, 6_082_399, "too old"),
            (&os1, 6_082_399, "readable"),
            (&os3, 7_100_299, "too old"),
            (&os3, opensearch(2_190_099), "readable"),
        ] {
            assert_eq!(verdict(cluster, version_id), expected, "{version_id} on {}", cluster.version);
        }
    }

    #[test]
    fn the_oldest_node_decides_during_an_upgrade() {
        let nodes = [("8.19.0", Some(8_536_000)), ("8.11.0", Some(8_500_003))];
        let mixed = cluster(EngineKind::Elasticsearch, &nodes);
        assert_eq!(
            mixed.can_read(&written_by(8_536_000)),
            Err(ReadError::TooNew { snapshot: "8.x (index version 8536000)".to_owned(), cluster: "8.11.0".to_owned() })
        );
    }

    /// Real ones: 8.19.0 tells of a snapshot of 9.2.0 that 8.19.1 has written it.
    #[test]
    fn a_version_that_the_cluster_does_not_know_is_named_by_its_id() {
        let es819 = cluster(EngineKind::Elasticsearch, &[("8.19.0", Some(8_536_000))]);
        for (id, told, expected) in [
            (
                9_039_001,
                "8.19.1-[9039001]",
                "by version 9.x (index version 9039001), which is newer than this cluster's 8.19.0",
            ),
            (136_407_827, "8.19.1-[136407827]", "by OpenSearch 2.19.0"),
            (137_227_827, "8.19.1-[137227827]", "by OpenSearch 3.1.0"),
            (6_082_399, "6.8.23", "by version 6.8.23"),
        ] {
            let snapshot = Snapshot { version: Some(told.to_owned()), ..written_by(id) };
            let text = es819.can_read(&snapshot).unwrap_err().to_string();
            assert!(text.contains(expected), "{text}");
        }
        let es717 = cluster(EngineKind::Elasticsearch, &[("7.17.24", None)]);
        let text = es717.can_read(&written_by(8_010_299)).unwrap_err().to_string();
        assert!(text.contains("by version 8.1.2, which is newer"), "{text}");
    }

    #[test]
    fn odd_versions_are_not_guessed() {
        for version in ["", "8", "8.x.1", "99999999999999.0.0"] {
            assert_eq!(FormatVersion::of_release(EngineKind::Elasticsearch, version), None, "{version}");
        }
        assert!(FormatVersion::of_release(EngineKind::Elasticsearch, "8.19.0-SNAPSHOT").is_some());
    }
}
