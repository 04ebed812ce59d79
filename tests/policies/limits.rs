//! The limits of a call and of a component's parts: what they just allow, and what they just refuse.

use axum::http::StatusCode;
use backup_test_hosts::TestHost;
use optimize_backup::policy::admission::{AdmissionError, Step};
use optimize_backup::sandbox::{MAX_INSTANCES, MAX_TABLES};
use serde_json::{Value, json};

use crate::fixtures;
use crate::{options, test_host};

/// `policy.maxEngineCalls`: as many as a POST of the embedded policy needs are enough; with one less it fails and says so,
/// whatever the policy makes of the denial.
#[tokio::test]
async fn one_request_too_many_is_denied_and_no_failure_of_the_policy() {
    let needed = {
        let host = test_host();
        assert_eq!(host.create(7).await.0, StatusCode::ACCEPTED);
        let requests = host.engine.requests();
        let of_create = requests.iter().position(|request| request.to_string().contains("_part_1_of_2")).unwrap();
        u32::try_from(of_create + 1).unwrap()
    };
    let limited = |engine_calls| {
        let mut options = options();
        options.limits.engine_calls = engine_calls;
        TestHost::new(options)
    };

    assert_eq!(limited(needed).create(7).await.0, StatusCode::ACCEPTED);
    let host = limited(needed - 1);
    let (status, body) = host.create(7).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("callLimitExceeded")));
    assert!(body["errorMessage"].as_str().unwrap().contains("policy.maxEngineCalls"), "{body}");
    assert!(host.engine.snapshots("backups").is_empty());
    assert_eq!(host.policies().serving().failures(), 0);
}

/// Why a component without the functions of a policy is refused.
async fn refusal(component: Vec<u8>) -> String {
    let host = test_host();
    let refusal = host.offer(&component).await.unwrap_err();
    assert!(matches!(refusal, AdmissionError::Linking(_)), "{refusal}");
    assert_eq!(host.updates.last_verdict().unwrap().refusal().unwrap().0, Step::Compilation);
    host.expect_service().await;
    refusal.to_string()
}

/// The tables for one module and for all of them.
#[tokio::test]
async fn a_policy_of_too_many_instances_or_tables_is_refused() {
    let maximum = |found, limit| format!("{found}, which exceeds the configured maximum of {limit}");
    for (instances, tables, words) in [
        (MAX_INSTANCES + 1, 0, maximum(format!("{} core module instances", MAX_INSTANCES + 1), MAX_INSTANCES)),
        (2, MAX_TABLES, maximum(format!("{} tables", 2 * MAX_TABLES), MAX_TABLES)),
        (1, MAX_TABLES + 1, format!("count of {} exceeds the per-instance limit of {MAX_TABLES}", MAX_TABLES + 1)),
    ] {
        let refusal = refusal(fixtures::consisting_of(instances, tables)).await;
        assert!(refusal.contains(&words), "{refusal}");
    }
    // Up to the limit it is refused for another reason.
    for (instances, tables) in [(MAX_INSTANCES, 0), (1, MAX_TABLES)] {
        let refusal = refusal(fixtures::consisting_of(instances, tables)).await;
        assert!(!refusal.contains("exceeds"), "{refusal}");
    }
}

/// The error for an Optimize whose version cannot be part of a snapshot's name.
#[tokio::test]
async fn a_version_that_no_name_can_hold_is_told() {
    let host = test_host();
    host.engine.set_document("optimize-metadata_v3", Some(json!({"schemaVersion": "8_6"})));
    let (status, body) = host.create(7).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("optimizeVersionInvalid")));
    assert_eq!(body["detailedMessage"], Value::Null);
    assert!(body["errorMessage"].as_str().unwrap().contains("set optimize.version"), "{body}");
    assert!(host.engine.snapshots("backups").is_empty());
}
