//! Lists with parameters, of a policy that keeps to them and of one that does not.

use axum::http::StatusCode;
use backup_core::SnapshotState;
use backup_core::memory::StoredSnapshot;
use backup_test_hosts::Options;
use backup_test_hosts::policies::ids;
use backup_test_support::installation::part;
use serde_json::{Value, json};

use crate::hostile::taken_in;
use crate::{options, test_host};

#[tokio::test]
async fn a_parameter_that_makes_no_sense_reaches_no_policy() {
    let host = test_host();
    for query in [
        "x=1",
        "Limit=1",
        "limit=0",
        "limit=1001",
        "limit=1&limit=2",
        "pattern=*1",
        "pattern=",
        "before=0",
        "verbose=0",
    ] {
        let (status, body) = host.call("GET", &format!("/actuator/backups?{query}")).await;
        assert_eq!((status, &body["errorCode"]), (StatusCode::BAD_REQUEST, &json!("invalidParameter")), "{query}");
        let message = body["errorMessage"].as_str().unwrap();
        assert!(message.contains("allowed are pattern=2026*, before="), "{message}");
    }
    assert_eq!(host.engine.requests(), []);
    let (status, body) = host.call("GET", "/actuator/backups?limit=1000&pattern=2026*&before=7&verbose=false").await;
    assert_eq!((status, body), (StatusCode::OK, json!([])));
}

/// The IDs are as long as they can be: so are the requests to the engine, within what is granted.
#[tokio::test]
async fn the_largest_page_is_within_the_limits_of_a_call() {
    let host = test_host();
    for id in (0..1_001).map(|n| i64::MAX as u64 - n) {
        for number in [1, 2] {
            let snapshot = StoredSnapshot::new(&part(id, number), SnapshotState::Success, host.engine.now());
            host.engine.store("backups", snapshot);
        }
    }
    let (status, body) = host.call("GET", "/actuator/backups?limit=1000").await;
    assert_eq!((status, body.as_array().map(Vec::len)), (StatusCode::OK, Some(1_000)));
    let is_complete = |backup: &Value| backup["state"] == "COMPLETE" && backup["details"][0]["startTime"].is_string();
    assert!(body.as_array().unwrap().iter().all(is_complete));
}

/// In this repository the hostile policy always lists the backups 10 to 1.
#[tokio::test]
async fn a_page_that_was_not_asked_for_reaches_nobody() {
    let host = taken_in(Options { repository: ids::MARKS, max_failures: 100, ..options() }).await;
    for (query, violation) in [
        ("limit=9", "the list has 10 backups; it was asked for 9"),
        ("before=10", "the backup 10 is in a list that it does not belong to by the query"),
        ("pattern=1*", "the backup 9 is in a list that it does not belong to by the query"),
        ("pattern=10", "the backup 9 is in a list that it does not belong to by the query"),
    ] {
        let (status, body) = host.call("GET", &format!("/actuator/backups?{query}")).await;
        let expected = format!("the policy's answer breaks the contract: {violation}");
        assert_eq!((status, &body["errorMessage"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!(expected)), "{query}");
    }
    let (status, body) = host.call("GET", "/actuator/backups?limit=10&before=11&pattern=*").await;
    assert_eq!((status, body.as_array().map(Vec::len)), (StatusCode::OK, Some(10)));
}
