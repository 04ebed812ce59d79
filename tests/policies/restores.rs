//! Restores: what the server answers, and what a policy cannot bring it to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use backup_core::Method;
use backup_core::memory::StoredIndex;
use backup_test_hosts::policies::ids;
use backup_test_hosts::{Options, TestHost};
use backup_test_support::poll_until;
use serde_json::{Value, json};

use crate::fixtures::HOSTILE;
use crate::hostile::taken_in;
use crate::options;

const ID: u64 = 7;
/// In the installation of the engine in memory.
const DELETED: &str = "optimize-settings_v3";
/// An index of something else.
const NEIGHBOUR: &str = "operate-list-view-8.3.0_";

/// A host with a complete backup of an installation that has lost an index since then.
async fn with_backup(host: TestHost, id: u64) -> TestHost {
    host.engine.set_document(DELETED, Some(json!({"of": "the backup"})));
    host.engine.add_index(NEIGHBOUR);
    for name in ["metadata_v3", "settings_v3", "timestamp-based-import-index_v5"] {
        host.engine.add_index(&format!("optimize-eu-{name}"));
    }
    host.engine.write_within(Duration::from_millis(1));
    assert_eq!(host.create(id).await.0, StatusCode::ACCEPTED);
    wait_for(&host, &format!("/actuator/backups/{id}"), "COMPLETE").await;
    host.engine.remove_index(DELETED);
    host
}

/// The engine's clock goes on meanwhile.
async fn wait_for(host: &TestHost, path: &str, state: &str) -> Value {
    poll_until(state, Duration::from_secs(30), async || {
        host.engine.pass(Duration::from_secs(1));
        let (_, body) = host.call("GET", path).await;
        Ok((body["state"] == state).then_some(body))
    })
    .await
    .unwrap()
}

/// Without the second look for writers, which takes its time.
fn confirmed() -> Value {
    json!({"dryRun": false, "confirm": "optimize", "override": ["optimizeIsWriting"]})
}

fn indices(host: &TestHost) -> BTreeMap<String, (String, StoredIndex)> {
    host.engine.indices()
}

#[tokio::test]
async fn a_plan_a_confirmation_and_a_restore() {
    let host = with_backup(TestHost::new(options()), ID).await;
    let before = indices(&host);
    let path = format!("/actuator/backups/{ID}/restore");
    let (status, plan) = host.restore(ID, &json!({"dryRun": true, "override": ["optimizeIsWriting"]})).await;
    assert_eq!((status, &plan["canBegin"], &plan["indexPrefix"]), (StatusCode::OK, &json!(true), &json!("optimize")));
    let row = plan["indices"].as_array().unwrap().iter().find(|row| row["index"] == DELETED).unwrap();
    assert_eq!((&row["action"], &row["exists"], &row["part"]), (&json!("restored"), &json!(false), &json!(2)));
    for body in [
        json!({"dryRun": false}),
        json!({"dryRun": false, "confirm": "optimize-eu"}),
        json!({"dryRun": false, "confirm": ""}),
    ] {
        let (status, error) = host.restore(ID, &body).await;
        assert_eq!((status, &error["errorCode"]), (StatusCode::BAD_REQUEST, &json!("restoreNotConfirmed")));
    }
    assert_eq!(indices(&host), before);
    assert_eq!(host.call("GET", &path).await.1["state"], "NONE");

    let (status, body) = host.restore(ID, &confirmed()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    let restore = wait_for(&host, &path, "COMPLETE").await;
    assert_eq!(restore["percent"], 100.0);
    assert!(restore["nextStep"].as_str().unwrap().starts_with("start Optimize"), "{restore}");
    let after = indices(&host);
    assert_eq!(after[DELETED].1.document, Some(json!({"of": "the backup"})));
    assert_eq!(after[NEIGHBOUR], before[NEIGHBOUR]);
    assert_eq!(after["optimize-eu-settings_v3"], before["optimize-eu-settings_v3"]);
}

#[tokio::test]
async fn without_tokens_nobody_restores() {
    let host = with_backup(TestHost::new(Options { no_token: true, ..options() }), ID).await;
    let (status, error) = host.restore(ID, &confirmed()).await;
    assert_eq!((status, &error["errorCode"]), (StatusCode::FORBIDDEN, &json!("operationNotEnabled")));
    assert!(!indices(&host).contains_key(DELETED));
}

#[tokio::test]
async fn what_stops_a_restore_is_told_and_nothing_is_changed() {
    let host = with_backup(TestHost::new(options()), ID).await;
    host.engine.add_data_stream(DELETED);
    let before = indices(&host);
    let (status, error) = host.restore(ID, &confirmed()).await;
    assert_eq!((status, &error["errorCode"]), (StatusCode::CONFLICT, &json!("restoreBlocked")));
    assert!(error["errorMessage"].as_str().unwrap().contains("nameInUse: the data stream"), "{error}");
    assert_eq!(indices(&host), before);
    assert_eq!(host.restore(99, &confirmed()).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn while_it_restores_no_other_restore_backup_or_deletion_begins() {
    let host = with_backup(TestHost::new(options()), ID).await;
    host.engine.restore_within(Duration::from_secs(3600));
    assert_eq!(host.restore(ID, &confirmed()).await.0, StatusCode::ACCEPTED);
    let path = format!("/actuator/backups/{ID}/restore");
    assert_eq!(host.call("GET", &path).await.1["state"], "IN_PROGRESS");
    assert_eq!(host.restore(ID, &confirmed()).await.0, StatusCode::ACCEPTED, "it goes on");
    let expected = (StatusCode::CONFLICT, json!("restoreInProgress"));
    for (status, error) in [
        host.restore(8, &confirmed()).await,
        host.create(8).await,
        host.call("DELETE", &format!("/actuator/backups/{ID}")).await,
    ] {
        assert_eq!((status, error["errorCode"].clone()), expected, "{error}");
    }
    host.engine.pass(Duration::from_secs(7200));
    host.engine.restore_within(Duration::from_millis(1));
    wait_for(&host, &path, "COMPLETE").await;
    assert_eq!(host.call("DELETE", &format!("/actuator/backups/{ID}")).await.0, StatusCode::NO_CONTENT);
}

/// A host with the hostile policy and a backup of this ID.
async fn hostile(id: u64) -> TestHost {
    let host = Arc::into_inner(taken_in(options()).await).unwrap();
    with_backup(host, id).await
}

#[tokio::test]
async fn a_look_at_a_restore_deletes_nothing() {
    let host = hostile(ids::DELETES_INDEX_ON_GET).await;
    host.engine.add_index(DELETED);
    let before = indices(&host);
    host.call("GET", &format!("/actuator/backups/{}/restore", ids::DELETES_INDEX_ON_GET)).await;
    assert_eq!(indices(&host), before);
}

#[tokio::test]
async fn no_step_of_a_restore_touches_what_is_not_in_the_plan() {
    for id in [ids::DELETES_IN_PLAN, ids::DELETES_NEIGHBOUR, ids::RESTORES_ALL] {
        let host = hostile(id).await;
        let before = indices(&host);
        assert_eq!(host.restore(id, &confirmed()).await.0, StatusCode::ACCEPTED);
        wait_for(&host, &format!("/actuator/backups/{id}/restore"), "COMPLETE").await;
        let after = indices(&host);
        for index in [NEIGHBOUR, "optimize-eu-metadata_v3", "optimize-eu-settings_v3"] {
            assert_eq!(after[index], before[index], "{index}");
        }
        let is_deletion = |request: &backup_core::Request| request.method == Method::Delete && request.path.len() == 1;
        for request in host.engine.requests().into_iter().filter(is_deletion) {
            assert!(request.path[0].split(',').all(|name| name.starts_with("optimize-") && !name.contains("-eu-")));
        }
    }
}

/// The step is taken again; a policy that always traps is withdrawn, and the embedded one goes on.
#[tokio::test]
async fn a_policy_that_traps_in_a_step_ends_with_the_backup() {
    for id in [ids::TRAPS_IN_EACH_STEP, ids::TRAPS_AFTER_DELETION, ids::TRAPS_AFTER_RESTORE, ids::TRAPS_AFTER_MARK] {
        let host = hostile(id).await;
        let before = indices(&host);
        assert_eq!(host.restore(id, &confirmed()).await.0, StatusCode::ACCEPTED);
        wait_for(&host, &format!("/actuator/backups/{id}/restore"), "COMPLETE").await;
        let after = indices(&host);
        assert_eq!(after[DELETED].1.document, Some(json!({"of": "the backup"})), "{id}");
        assert!(host.engine.marked_indices().is_empty(), "{id}");
        for index in [NEIGHBOUR, "optimize-eu-metadata_v3", "optimize-eu-settings_v3"] {
            assert_eq!(after[index], before[index], "{id}: {index}");
        }
        let is_withdrawn = host.call("GET", "/actuator/policy").await.1["withdrawn"] != json!([]);
        assert!(is_withdrawn || id != ids::TRAPS_IN_EACH_STEP, "{id}");
    }
}

#[tokio::test]
async fn a_policy_that_traps_in_the_plan_begins_nothing() {
    let host = hostile(ids::TRAPS_IN_PLAN).await;
    let before = indices(&host);
    let (status, error) = host.restore(ids::TRAPS_IN_PLAN, &confirmed()).await;
    assert_eq!((status, &error["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("policyFailed")), "{error}");
    assert_eq!(indices(&host), before);
}

/// Of two that serve one after the other, the first is the one whose plan it is.
#[tokio::test]
async fn a_restore_keeps_the_policy_that_it_began_with() {
    let id = ids::TRAPS_IN_EACH_STEP;
    let host = with_backup(TestHost::new(options()), id).await;
    host.engine.restore_within(Duration::from_secs(3600));
    assert_eq!(host.restore(id, &confirmed()).await.0, StatusCode::ACCEPTED);
    host.serve_unchecked(&HOSTILE);
    host.engine.pass(Duration::from_secs(7200));
    host.engine.restore_within(Duration::from_millis(1));
    wait_for(&host, &format!("/actuator/backups/{id}/restore"), "COMPLETE").await;
    let policy = host.call("GET", "/actuator/policy").await.1;
    assert_eq!(policy["withdrawn"], json!([]), "{policy}");
}

#[tokio::test]
async fn a_plan_with_indices_of_another_installation_is_refused() {
    let host = hostile(ids::PLANS_NEIGHBOURS).await;
    let before = indices(&host);
    let (status, error) = host.restore(ids::PLANS_NEIGHBOURS, &confirmed()).await;
    assert_eq!((status, &error["errorCode"]), (StatusCode::CONFLICT, &json!("restoreOfForeignIndices")), "{error}");
    assert_eq!(indices(&host), before);
}

#[tokio::test]
async fn a_restore_is_not_complete_because_a_policy_says_so() {
    let host = hostile(ids::NOT_RESTORED).await;
    let (status, error) = host.call("GET", &format!("/actuator/backups/{}/restore", ids::NOT_RESTORED)).await;
    assert_eq!((status, &error["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("policyFailed")), "{error}");
}
