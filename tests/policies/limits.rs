//! The limits of a call and of what a policy may consist of, each where it begins to hold.

use axum::http::StatusCode;
use optimize_backup::policy::admission::{AdmissionError, Step};
use optimize_backup::sandbox::{MAX_INSTANCES as INSTANCES, MAX_TABLES as TABLES};
use serde_json::{Value, json};

use crate::fixtures;
use crate::house::{House, Plan};

/// `policy.maxEngineCalls`: what a POST of the embedded policy needs is enough, and one request less is told.
#[tokio::test]
async fn one_request_too_many_is_denied_and_no_failure_of_the_policy() {
    let needed = {
        let house = House::new();
        assert_eq!(house.create(7).await.0, StatusCode::ACCEPTED);
        let requests = house.engine.requests();
        let of_create = requests.iter().position(|request| request.to_string().contains("_part_1_of_2")).unwrap();
        u32::try_from(of_create + 1).unwrap()
    };
    let limited = |engine_calls| House::build(Plan { engine_calls: Some(engine_calls), ..Plan::default() });

    assert_eq!(limited(needed).create(7).await.0, StatusCode::ACCEPTED);
    let house = limited(needed - 1);
    let (status, body) = house.create(7).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("requestNotGranted")));
    assert!(body["detailedMessage"].as_str().unwrap().contains("policy.maxEngineCalls"), "{body}");
    assert!(house.engine.snapshots("backups").is_empty());
    assert_eq!(house.policies().serving().failures(), 0);
}

/// Why a component that cannot serve anyway is refused.
async fn refusal(component: Vec<u8>) -> String {
    let house = House::new();
    let refusal = house.offer(&component).await.unwrap_err();
    assert!(matches!(refusal, AdmissionError::Linking(_)), "{refusal}");
    assert_eq!(house.updates.last_verdict().unwrap().refusal().unwrap().0, Step::Compilation);
    house.expect_service().await;
    refusal.to_string()
}

/// The tables for one module and for all of them.
#[tokio::test]
async fn a_policy_of_too_many_instances_or_tables_is_refused() {
    let maximum = |found, limit| format!("{found}, which exceeds the configured maximum of {limit}");
    for (instances, tables, words) in [
        (INSTANCES + 1, 0, maximum(format!("{} core module instances", INSTANCES + 1), INSTANCES)),
        (2, TABLES, maximum(format!("{} tables", 2 * TABLES), TABLES)),
        (1, TABLES + 1, format!("count of {} exceeds the per-instance limit of {TABLES}", TABLES + 1)),
    ] {
        let refusal = refusal(fixtures::consisting_of(instances, tables)).await;
        assert!(refusal.contains(&words), "{refusal}");
    }
    // Up to the limit it is something else that is wrong with it.
    for (instances, tables) in [(INSTANCES, 0), (1, TABLES)] {
        let refusal = refusal(fixtures::consisting_of(instances, tables)).await;
        assert!(!refusal.contains("exceeds"), "{refusal}");
    }
}

/// What a user would notice of an Optimize whose version no snapshot's name can hold.
#[tokio::test]
async fn a_version_that_no_name_can_hold_is_told() {
    let house = House::new();
    house.engine.set_document("optimize-metadata_v3", Some(json!({"schemaVersion": "8_6"})));
    let (status, body) = house.create(7).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("optimizeVersionInvalid")));
    assert_eq!(body["detailedMessage"], Value::Null);
    assert!(body["errorMessage"].as_str().unwrap().contains("set optimize.version"), "{body}");
    assert!(house.engine.snapshots("backups").is_empty());
}
