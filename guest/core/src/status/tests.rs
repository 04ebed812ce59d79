use serde_json::{Value, json};

use super::*;

fn amounts(status: Value, sizes: Value) -> Option<Amounts> {
    let statuses: Statuses = serde_json::from_value(json!({"snapshots": [status]})).unwrap();
    statuses.amounts_of("s", &serde_json::from_value(sizes).unwrap())
}

/// As Elasticsearch 8.19 and OpenSearch 2.19 answer.
#[test]
fn what_is_processed_is_left_out_where_it_is_everything() {
    let told = |stats: Value| {
        let shards_stats =
            json!({"initializing": 0, "started": 1, "finalizing": 0, "done": 1, "failed": 0, "total": 2});
        let shards = json!({"0": {"stage": "DONE"}, "1": {"stage": "STARTED"}});
        let status = json!({
            "snapshot": "s", "state": "STARTED", "shards_stats": shards_stats, "stats": stats,
            "indices": {"a": {"shards": shards}},
        });
        amounts(status, json!({})).unwrap().bytes
    };
    let size = |bytes: u64| json!({"file_count": 5, "size_in_bytes": bytes});
    let running = json!({"incremental": size(300), "processed": size(100), "total": size(900), "time_in_millis": 0});
    assert_eq!(told(running), ByteCount { total: 300, done: 100 });
    assert_eq!(told(json!({"incremental": size(300), "total": size(900)})), ByteCount { total: 300, done: 300 });
    assert_eq!(told(json!({})), ByteCount::default());
}

#[test]
fn what_has_not_begun_counts_with_the_size_of_its_index() {
    let shards_stats = json!({"done": 0, "failed": 0, "total": 5});
    let status = json!({
        "snapshot": "s",
        "shards_stats": shards_stats,
        "stats": {"incremental": {"size_in_bytes": 300}, "processed": {"size_in_bytes": 0}},
        "indices": {
            "a": {"shards": {"0": {"stage": "STARTED"}, "1": {"stage": "INIT"}}},
            "b": {"shards": {"0": {"stage": "INIT"}}},
            "c": {"shards": {"0": {"stage": "INIT"}, "1": {"stage": "INIT"}}},
        },
    });
    let size = |bytes: u64| json!({"primaries": {"store": {"size_in_bytes": bytes}}});
    let sizes = json!({"indices": {"a": size(1000), "b": size(20), "other": size(7)}});
    let expected = 300 + 500 + 20 + 2 * 300;
    assert_eq!(amounts(status, sizes).unwrap().bytes.total, expected, "c is as large as the mean of what has begun");
}

#[test]
fn nonsense_is_kept_within_bounds() {
    let status = json!({
        "snapshot": "s",
        "shards_stats": {"done": 7, "failed": 7, "total": 5},
        "stats": {"incremental": {"size_in_bytes": u64::MAX}, "processed": {"size_in_bytes": u64::MAX}},
        "indices": {"a": {"shards": {"0": {"stage": "INIT"}}}},
    });
    let size = json!({"primaries": {"store": {"size_in_bytes": u64::MAX}}});
    let amounts = amounts(status, json!({"indices": {"a": size}})).unwrap();
    assert_eq!(amounts.bytes, ByteCount { total: u64::MAX, done: u64::MAX });
    assert_eq!(amounts.shards, ShardCount { total: 5, done: 5, failed: 0 });
}

#[test]
fn another_snapshot_is_not_told() {
    let status = json!({"snapshot": "other", "shards_stats": {"done": 0, "failed": 0, "total": 0}});
    assert_eq!(amounts(status, json!({})), None);
}
