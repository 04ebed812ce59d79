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
