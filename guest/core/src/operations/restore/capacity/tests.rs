use serde_json::json;

use super::*;

const GB: u64 = 1 << 30;

/// What is available of disks of 1000 GB with so much free, in GB.
fn available(settings: &Value, free: &[u64]) -> u64 {
    available_after(settings, free, 0)
}

/// The same once so many GB are deleted.
fn available_after(settings: &Value, free: &[u64], freed: u64) -> u64 {
    let disk = |free: &u64| RawNode {
        roles: vec!["data_hot".to_owned()],
        fs: RawFs { total: Some(RawSpace { available_in_bytes: free * GB, total_in_bytes: 1000 * GB }) },
    };
    let nodes = free.iter().map(disk).enumerate().map(|(number, node)| (number.to_string(), node)).collect();
    RawNodes { nodes }.available(&Watermarks::of(settings), freed * GB).unwrap() / GB
}

fn disk(settings: &Value) -> Value {
    json!({"cluster": {"routing": {"allocation": {"disk": settings}}}})
}

#[test]
fn a_node_above_the_low_watermark_takes_nothing_and_none_is_filled_above_the_high_one() {
    let settings = json!({"defaults": disk(&json!({"watermark": {"low": "85%", "high": "90%"}}))});
    assert_eq!(available(&settings, &[500, 500]), 800);
    assert_eq!(available(&settings, &[500, 160, 149]), 460);
    assert_eq!(available(&settings, &[149]), 0);
    assert_eq!(available(&json!({}), &[149]), 149);
}

#[test]
fn what_is_deleted_first_makes_room_on_a_node_above_the_low_watermark() {
    let settings = json!({"defaults": disk(&json!({"watermark": {"low": "85%", "high": "90%"}}))});
    assert_eq!((available(&settings, &[140]), available_after(&settings, &[140], 300)), (0, 340));
    assert_eq!(available_after(&settings, &[50], 30), 0);
    assert_eq!(available_after(&json!({}), &[50], 30), 80);
    assert_eq!(available_after(&settings, &[20, 300], 50), 250, "what others have filled takes nothing from the rest");
}

#[test]
fn what_the_operator_has_set_holds() {
    let with_headroom = json!({"low": "85%", "low.max_headroom": "50gb", "high": {"max_headroom": "150GB"}});
    let mut settings = json!({"defaults": disk(&json!({"threshold_enabled": "true", "watermark": with_headroom}))});
    settings["persistent"] = disk(&json!({"watermark": {"high": "0.95"}}));
    assert_eq!(available(&settings, &[60, 40]), 10, "no default for what goes with a changed setting");
    settings["transient"] = disk(&json!({"watermark": {"low": "100gb", "high": "30gb"}}));
    assert_eq!(available(&settings, &[200, 99]), 170);
    settings["transient"] = disk(&json!({"threshold_enabled": "false"}));
    assert_eq!(available(&settings, &[1]), 1);
    settings["transient"] = disk(&json!({"watermark": {"enable_for_single_data_node": "false"}}));
    assert_eq!((available(&settings, &[1]), available(&settings, &[1, 1])), (1, 0));
}

#[test]
fn nodes_that_tell_nothing_are_none() {
    let nodes: RawNodes = serde_json::from_value(json!({"nodes": {"a": {"roles": ["data"]}}})).unwrap();
    assert_eq!(nodes.available(&Watermarks::default(), 0), None);
    let nodes: RawNodes = serde_json::from_value(
        json!({"nodes": {"a": {"roles": ["master"], "fs": {"total": {"available_in_bytes": 7}}}}}),
    )
    .unwrap();
    assert_eq!(nodes.available(&Watermarks::default(), 0), None);
}

#[test]
fn sizes_and_shares_are_read() {
    let shares = ["85%", "85.5%", "97.999%", "0.9", "0.975", "10gb"].map(share);
    assert_eq!(shares, [Some(8500), Some(8550), Some(9800), Some(9000), Some(9750), None]);
    assert_eq!(
        (bytes("1.5tb"), bytes("20GB"), bytes("20g"), bytes("7b"), bytes("-1")),
        (Some(1 << 40), Some(20 << 30), Some(20 << 30), Some(7), None)
    );
}
