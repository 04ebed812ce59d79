use proptest::prelude::*;

use super::*;

fn refusal(status: u16, body: &str) -> Refusal {
    success(&Response { status, retry_after: None, body: body.to_owned() }).unwrap_err()
}

#[test]
fn knows_a_taken_name_on_every_engine() {
    for (kind, reason) in [
        (
            "snapshot_name_already_in_use_exception",
            "[r:s] Invalid snapshot name [s], snapshot with the same name already exists",
        ),
        (
            "invalid_snapshot_name_exception",
            "[r:s] Invalid snapshot name [s], snapshot with the same name already exists",
        ),
        (
            "invalid_snapshot_name_exception",
            "[r:s] Invalid snapshot name [s], snapshot with the same name is already in-progress",
        ),
    ] {
        let body = serde_json::json!({"error": {"type": kind, "reason": reason}, "status": 400});
        assert!(refusal(400, &body.to_string()).is_name_in_use(), "{kind} {reason}");
    }
    let capital = r#"{"error":{"type":"invalid_snapshot_name_exception","reason":"[r:S] Invalid snapshot name [S], must be lowercase"},"status":400}"#;
    assert!(!refusal(400, capital).is_name_in_use());
}

#[test]
fn tells_what_came_instead_of_json() {
    let page = refusal(503, "<html>\n<body>Service Unavailable</body></html>");
    assert_eq!(page.to_string(), "503: <html><body>Service Unavailable</body></html>");
    assert_eq!(refusal(401, "").to_string(), "401");
    assert_eq!(
        refusal(405, r#"{"error":"Incorrect HTTP method","status":405}"#).to_string(),
        "405: Incorrect HTTP method"
    );
}

/// As Elasticsearch 8.19 answers to a list of snapshots whose files it may not read.
#[test]
fn tells_the_innermost_cause() {
    let body = r#"{"error":{
        "root_cause":[{"type":"snapshot_exception","reason":"[backups:s/u] failed to get snapshot info"}],
        "type":"snapshot_exception","reason":"[backups:s/u] failed to get snapshot info",
        "caused_by":{"type":"i_o_exception","reason":"while reading","caused_by":
            {"type":"access_denied_exception","reason":"/mnt/backups/snap-u.dat"}}},"status":500}"#;
    assert_eq!(
        refusal(500, body).to_string(),
        "500 snapshot_exception: [backups:s/u] failed to get snapshot info (caused by access_denied_exception: \
         /mnt/backups/snap-u.dat)"
    );
    let without_reason = r#"{"error":{"type":"a","reason":"b","caused_by":{"type":"c","reason":null}},"status":500}"#;
    assert_eq!(refusal(500, without_reason).to_string(), "500 a: b (caused by c)");
}

#[test]
fn a_long_explanation_is_cut() {
    let names = "optimize-process-instance-bestellprozeß_v8, ".repeat(1_000);
    let reason = format!("[backups:x] Indices don't have primary shards [{names}]");
    let body = serde_json::json!({"error": {"type": "snapshot_exception", "reason": reason}, "status": 500});
    let cut = refusal(500, &body.to_string());
    assert!(cut.is_snapshot_unreadable());
    assert!(cut.reason.len() <= 2_003 && cut.reason.ends_with('…'), "{}", cut.reason.len());
    assert!(reason.starts_with(cut.reason.trim_end_matches('…')));
}

proptest! {
    #[test]
    fn reads_any_refusal(status in 300u16..600, body in "\\PC*") {
        let text = refusal(status, &body).to_string();
        prop_assert!(text.starts_with(&status.to_string()));
    }
}
