//! A policy that is tried beside the serving one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use backup_core::memory::{MemoryEngine, StoredSnapshot};
use backup_core::{Method, SnapshotState};
use backup_test_hosts::{MAX_FAILURES, TOKEN, TestHost};
use backup_test_support::installation::part;
use backup_test_support::poll_until;
use futures::future::join_all;
use optimize_backup::policy::Digest;
use optimize_backup::policy::shadow::{Counts, EndReason, PERMITS, Report};
use serde_json::{Value, json};

use crate::fixtures::{self, LATER};
use crate::test_host;

const TIMEOUT: Duration = Duration::from_secs(30);

/// What was counted, once the shadow has been called so often.
async fn counts_of(report: &Report, calls: u64) -> Counts {
    let is_reached = async || Ok(Some(report.counts()).filter(|counts| counts.calls() >= calls));
    poll_until("the calls of the shadow", TIMEOUT, is_reached).await.unwrap()
}

async fn shown(host: &TestHost) -> Value {
    host.call("GET", "/actuator/policy").await.1["shadow"].clone()
}

async fn end(host: &TestHost, token: &str) -> (StatusCode, Value) {
    let request = Request::delete("/actuator/policy/shadow").header("authorization", format!("Bearer {token}"));
    host.send(request.body(Body::empty()).unwrap()).await
}

fn deletions(engine: &MemoryEngine) -> usize {
    engine.requests().iter().filter(|request| request.method == Method::Delete).count()
}

#[tokio::test]
async fn another_answer_is_shown_and_never_reaches_a_caller() {
    let host = test_host();
    assert_eq!(shown(&host).await, Value::Null);
    host.create(42).await;
    let other = fixtures::policy(fixtures::NOTHING);
    let report = host.shadow_unchecked(&other);
    let (status, body) = host.call("GET", "/actuator/backups").await;
    assert_eq!((status, &body[0]["backupId"]), (StatusCode::OK, &json!(42)));
    counts_of(&report, 1).await;
    let (status, body) = host.call("GET", "/actuator/backups/42").await;
    assert_eq!((status, &body["backupId"]), (StatusCode::OK, &json!(42)));
    counts_of(&report, 2).await;

    let shadow = shown(&host).await;
    assert_eq!(shadow["digest"], json!(Digest::of(&other).to_string()));
    assert_eq!((&shadow["source"], &shadow["ended"]), (&json!("upload"), &Value::Null));
    assert_eq!([&shadow["calls"], &shadow["same"], &shadow["skipped"]], [2, 0, 0]);
    assert_eq!([&shadow["different"], &shadow["failed"]], [1, 1]);
    let [list, get] = shadow["examples"].as_array().unwrap().as_slice() else { panic!("{shadow}") };
    assert_eq!((&list["operation"], &list["id"], &list["generation"]), (&json!("list"), &Value::Null, &json!(1)));
    assert!(list["served"].as_str().unwrap().contains(&part(42, 1)), "{list}");
    assert!(list["shadow"].as_str().unwrap().contains("backups: []"), "{list}");
    assert_eq!((&get["operation"], &get["id"]), (&json!("get"), &json!("42")));
    assert!(get["shadow"].as_str().unwrap().contains("breaks the contract"), "{get}");
    let serving = host.policies().serving();
    assert_eq!((serving.number, serving.failures()), (1, 0));
}

#[tokio::test]
async fn the_same_policy_answers_the_same_though_the_engine_changes() {
    let host = test_host();
    let (status, body) = host.upload("/actuator/policy/shadow?for=1h", &LATER).await;
    assert_eq!((status, &body["version"], &body["calls"]), (StatusCode::OK, &json!("7.0.0"), &json!(0)), "{body}");
    let report = host.policies().shadows().report().unwrap();
    let mut calls = 0;
    for id in 1..=5 {
        for path in ["/actuator/backups".to_owned(), format!("/actuator/backups/{id}")] {
            host.call("GET", &path).await;
            // The shadow has not been called yet.
            let name = part(id, if calls % 2 == 0 { 1 } else { 2 });
            host.engine.store("backups", StoredSnapshot::new(&name, SnapshotState::Success, host.engine.now()));
            calls += 1;
            counts_of(&report, calls).await;
        }
    }
    assert_eq!(host.call("GET", "/actuator/backups").await.1.as_array().unwrap().len(), 5);
    let counts = report.counts();
    assert_eq!((counts.different, counts.failed), (0, 0), "{:?}", counts.examples);
    assert_eq!(host.policies().serving().number, 1, "it never serves by itself");
}

#[tokio::test]
async fn failures_are_counted_until_there_are_too_many_in_a_row() {
    for body in [fixtures::TRAP, fixtures::ENDLESS] {
        let host = test_host();
        let report = host.shadow_unchecked(&fixtures::policy(body));
        for failed in 1..=u64::from(MAX_FAILURES) {
            assert_eq!(host.call("GET", "/actuator/backups").await, (StatusCode::OK, json!([])));
            assert_eq!(counts_of(&report, failed).await.failed, failed);
        }
        host.expect_service().await;
        let counts = report.counts();
        assert_eq!(counts.end.unwrap().reason, EndReason::KeepsFailing { operation: "list", failures: MAX_FAILURES });
        assert_eq!(counts.examples.len(), MAX_FAILURES as usize);
        let serving = host.policies().serving();
        assert_eq!((serving.number, serving.failures()), (1, 0));
        assert!(host.policies().incumbents().withdrawals.is_empty());
    }
}

#[tokio::test]
async fn a_shadow_writes_nothing() {
    let deleting = fixtures::policy(fixtures::DELETION);
    let host = test_host();
    host.create(7).await;
    let report = host.shadow_unchecked(&deleting);
    host.call("GET", "/actuator/backups").await;
    assert_eq!(counts_of(&report, 1).await.different, 1);
    assert_eq!(deletions(&host.engine), 0);
    // Nor does it write as the serving policy, except in a DELETE.
    host.serve_unchecked(&deleting);
    host.call("GET", "/actuator/backups").await;
    assert_eq!(deletions(&host.engine), 0);
    host.call("DELETE", "/actuator/backups/7").await;
    assert!(deletions(&host.engine) > 0);
}

#[tokio::test]
async fn a_caller_who_finds_no_place_for_the_shadow_does_not_wait_for_one() {
    const CALLS: usize = 3 * PERMITS;
    let host = test_host();
    let report = host.shadow_unchecked(&fixtures::policy(fixtures::ENDLESS));
    // All at once: one after the other, on a busy machine, the last ones come when the first place is free again.
    for answer in join_all((0..CALLS).map(|_| host.call("GET", "/actuator/backups"))).await {
        assert_eq!(answer, (StatusCode::OK, json!([])));
    }
    let counts = counts_of(&report, PERMITS as u64).await;
    assert!(counts.skipped > 0 && counts.failed >= PERMITS as u64, "{counts:?}");
}

#[tokio::test]
async fn its_time_is_up_one_day() {
    let host = test_host();
    let admitted = host.admitted(&LATER);
    let policy = Arc::downgrade(&admitted.policy);
    host.policies().shadows().begin(admitted, Duration::from_millis(100));
    let is_over = async || Ok(Some(shown(&host).await["ended"].clone()).filter(|ended| !ended.is_null()));
    let ended = poll_until("the end", TIMEOUT, is_over).await.unwrap();
    assert_eq!(ended["reason"], json!("its time is up"));
    // Nothing refers to it any more, so it is not called again.
    poll_until("the policy to go", TIMEOUT, async || Ok(policy.upgrade().is_none().then_some(()))).await.unwrap();
    host.expect_service().await;
    assert_eq!(shown(&host).await["calls"], json!(0));
}

/// Differences after the tenth are only counted.
#[tokio::test]
async fn the_first_ten_differences_are_kept() {
    const LISTS: u64 = 11;
    let host = test_host();
    host.create(42).await;
    let report = host.shadow_unchecked(&fixtures::policy(fixtures::NOTHING));
    host.call("GET", "/actuator/backups/42").await;
    counts_of(&report, 1).await;
    for lists in 1..=LISTS {
        host.call("GET", "/actuator/backups").await;
        counts_of(&report, 1 + lists).await;
    }
    let shadow = shown(&host).await;
    assert_eq!((&shadow["failed"], &shadow["different"]), (&json!(1), &json!(LISTS)), "{shadow}");
    let examples = shadow["examples"].as_array().unwrap();
    let operations: Vec<&str> = examples.iter().filter_map(|example| example["operation"].as_str()).collect();
    assert_eq!(operations, [&["get"][..], &["list"; 9]].concat());
}

#[tokio::test]
async fn an_operator_ends_it() {
    let host = test_host();
    let (status, body) = end(&host, TOKEN).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::NOT_FOUND, &json!("noShadow")));
    host.shadow_unchecked(&LATER);
    let (status, body) = end(&host, "a token of somebody").await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::UNAUTHORIZED, &json!("unauthorized")));
    assert_eq!(shown(&host).await["ended"], Value::Null);
    let (status, body) = end(&host, TOKEN).await;
    assert_eq!((status, &body["ended"]["reason"]), (StatusCode::OK, &json!("an operator ended it")));
    assert_eq!(shown(&host).await, body);
    assert_eq!(end(&host, TOKEN).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_one_takes_its_place_and_to_serve_ends_it() {
    let host = test_host();
    let first = host.shadow_unchecked(&fixtures::policy(fixtures::NOTHING));
    let second = host.shadow_unchecked(&LATER);
    assert_eq!(first.counts().end.unwrap().reason, EndReason::Replaced);
    host.serve_unchecked(&fixtures::policy(fixtures::TRAP));
    assert!(second.counts().end.is_none(), "it continues beside whichever policy serves");
    assert_eq!(host.call("GET", "/actuator/backups").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(counts_of(&second, 1).await.examples[0].generation, 2);
    assert_eq!(host.offer(&LATER).await.unwrap(), 3);
    assert_eq!(second.counts().end.unwrap().reason, EndReason::Serves);
}

#[tokio::test]
async fn one_that_may_not_serve_is_not_tried_either() {
    let host = test_host();
    host.serve_unchecked(&LATER);
    let older = fixtures::embedded_as("6.0.0");
    let (status, body) = host.upload("/actuator/policy/shadow?for=1m", &older).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::CONFLICT, &json!("policySuperseded")));
    assert_eq!(shown(&host).await, Value::Null);
    let (status, _) = host.upload("/actuator/policy/shadow?for=1m&force=true", &older).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(host.policies().serving().number, 2);
    assert_eq!(host.policies().previous().unwrap().number, 1, "the way back is as before");
}
