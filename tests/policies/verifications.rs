//! Verifications: what the server answers, and what a policy cannot bring it to.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use backup_core::Method;
use backup_core::verification::scratch::is_scratch;
use backup_test_hosts::policies::ids;
use backup_test_hosts::{Options, TestHost};
use backup_test_support::poll_until;
use serde_json::{Value, json};

use crate::hostile::taken_in;
use crate::options;

const ID: u64 = 7;
/// An index of something else.
const NEIGHBOUR: &str = "operate-list-view-8.3.0_";

/// A host with a complete backup.
async fn with_backup(host: TestHost, id: u64) -> TestHost {
    host.engine.add_index(NEIGHBOUR);
    host.engine.write_within(Duration::from_millis(1));
    assert_eq!(host.create(id).await.0, StatusCode::ACCEPTED);
    wait_for(&host, &format!("/actuator/backups/{id}"), &["COMPLETE"]).await;
    host
}

/// The engine's clock goes on meanwhile.
async fn wait_for(host: &TestHost, path: &str, states: &[&str]) -> Value {
    poll_until("the end", Duration::from_secs(60), async || {
        host.engine.pass(Duration::from_secs(1));
        let (_, body) = host.call("GET", path).await;
        Ok(states.iter().any(|state| body["state"] == *state).then_some(body))
    })
    .await
    .unwrap()
}

fn path(id: u64) -> String {
    format!("/actuator/backups/{id}/verify")
}

async fn verified(host: &TestHost, id: u64) -> Value {
    let (status, body) = host.call("POST", &path(id)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    let end = wait_for(host, &path(id), &["PASSED", "FAILED"]).await;
    assert_eq!(end["runId"], body["runId"]);
    end
}

#[tokio::test]
async fn a_backup_is_verified_and_what_was_found_is_told() {
    let host = with_backup(TestHost::new(options()), ID).await;
    let before = host.engine.indices();
    let none = host.call("GET", &path(ID)).await.1;
    assert_eq!((&none["state"], &none["checks"], &none["verifiedAt"]), (&json!("NONE"), &json!([]), &Value::Null));
    let end = verified(&host, ID).await;
    assert_eq!(
        (&end["state"], &end["backupId"], &end["percent"]),
        (&json!("PASSED"), &json!(ID), &json!(100.0)),
        "{end}"
    );
    let names: Vec<&str> =
        end["checks"].as_array().unwrap().iter().filter_map(|check| check["name"].as_str()).collect();
    assert_eq!(names, ["restored", "indices", "documents", "schemaVersion", "importPositions"]);
    assert!(end["verifiedAt"].as_str().unwrap().ends_with("+0000"), "{end}");
    assert_eq!(host.engine.indices(), before);
    let metrics = host.text("/actuator/prometheus").await;
    assert!(metrics.contains("last_verification_timestamp_seconds{outcome=\"failed\"} 0\n"), "{metrics}");
    assert!(!metrics.contains("last_verification_timestamp_seconds{outcome=\"passed\"} 0\n"), "{metrics}");

    for (id, status, code) in [("99", 404, "backupNotFound"), ("abc", 400, "invalidBackupId")] {
        for method in ["GET", "POST"] {
            let (found, error) = host.call(method, &format!("/actuator/backups/{id}/verify")).await;
            assert_eq!((found.as_u16(), &error["errorCode"]), (status, &json!(code)), "{method} {id}");
        }
    }
}

/// It destroys nothing, so that it is as open as the creation of a backup.
#[tokio::test]
async fn without_tokens_everybody_verifies() {
    let host = with_backup(TestHost::new(Options { no_token: true, ..options() }), ID).await;
    assert_eq!(verified(&host, ID).await["state"], "PASSED");
}

#[tokio::test]
async fn meanwhile_there_is_no_other_and_the_backup_is_not_deleted() {
    let host = with_backup(TestHost::new(options()), ID).await;
    host.engine.restore_within(Duration::from_secs(3600));
    assert_eq!(host.call("POST", &path(ID)).await.0, StatusCode::ACCEPTED);
    assert_eq!(host.call("GET", &path(ID)).await.1["state"], "IN_PROGRESS");
    for (method, path) in [("POST", path(ID)), ("DELETE", format!("/actuator/backups/{ID}"))] {
        let (status, error) = host.call(method, &path).await;
        assert_eq!((status, &error["errorCode"]), (StatusCode::CONFLICT, &json!("verificationInProgress")), "{error}");
    }
    assert_eq!(host.create(8).await.0, StatusCode::ACCEPTED, "a backup is made meanwhile");
    host.engine.restore_within(Duration::from_millis(1));
    host.engine.pass(Duration::from_secs(7200));
    assert_eq!(wait_for(&host, &path(ID), &["PASSED", "FAILED"]).await["state"], "PASSED");
    assert_eq!(host.call("DELETE", &format!("/actuator/backups/{ID}")).await.0, StatusCode::NO_CONTENT);
}

/// A host with the hostile policy and a backup of this ID.
async fn hostile(id: u64, options: Options) -> TestHost {
    let host = Arc::into_inner(taken_in(options).await).unwrap();
    with_backup(host, id).await
}

#[tokio::test]
async fn no_step_touches_anything_but_copies() {
    for id in [ids::VERIFIES_OTHERS, ids::COPIES_OTHERS] {
        let host = hostile(id, options()).await;
        let before = host.engine.indices();
        let end = verified(&host, id).await;
        assert_eq!(end["state"], "PASSED", "{end}");
        assert_eq!(host.engine.indices(), before);
        assert_eq!(host.call("GET", &format!("/actuator/backups/{id}")).await.1["state"], "COMPLETE");
        for request in host.engine.requests().into_iter().filter(|request| request.method == Method::Delete) {
            let names = request.path.first().map(String::as_str).unwrap_or_default();
            assert!(names.split(',').all(|name| is_scratch(name) && !name.contains('*')), "{request}");
        }
    }
}

#[tokio::test]
async fn nothing_has_passed_because_a_policy_says_so_and_no_verification_becomes_another() {
    for id in [ids::PASSES_UNSEEN, ids::VERIFIES_ANOTHER] {
        let host = hostile(id, options()).await;
        assert_eq!(host.call("POST", &path(id)).await.0, StatusCode::ACCEPTED);
        // After some such answers the previous policy comes back, and ends what was begun.
        let end = wait_for(&host, &path(id), &["PASSED", "FAILED"]).await;
        assert_eq!(end["state"], "PASSED", "{end}");
        let log = host.text("/actuator/prometheus").await;
        let broken = "policy_calls_total{operation=\"advance_verification\",outcome=\"broke_contract\"} 3";
        assert!(log.contains(broken), "{log}");
        assert!(!host.engine.indices().keys().any(|name| is_scratch(name)));
    }
}
