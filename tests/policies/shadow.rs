//! A policy that is tried beside the serving one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use backup_core::memory::{MemoryEngine, StoredSnapshot};
use backup_core::{Method, SnapshotState};
use backup_test_support::poll_until;
use futures::future::join_all;
use optimize_backup::policy::Digest;
use optimize_backup::policy::shadow::{Counts, EndReason, PERMITS, Report};
use serde_json::{Value, json};

use crate::fixtures::{self, LATER};
use crate::house::{FAILURES, House, TOKEN};

const PATIENCE: Duration = Duration::from_secs(30);

/// What was counted, once the shadow has been asked so often.
async fn tally_of(findings: &Report, calls: u64) -> Counts {
    let is_reached = async || Ok(Some(findings.counts()).filter(|tally| tally.calls() >= calls));
    poll_until("the calls of the shadow", PATIENCE, is_reached).await.unwrap()
}

async fn shown(house: &House) -> Value {
    house.call("GET", "/actuator/policy").await.1["shadow"].clone()
}

async fn end(house: &House, token: &str) -> (StatusCode, Value) {
    let request = Request::delete("/actuator/policy/shadow").header("authorization", format!("Bearer {token}"));
    house.send(request.body(Body::empty()).unwrap()).await
}

fn deletions(engine: &MemoryEngine) -> usize {
    engine.requests().iter().filter(|request| request.method == Method::Delete).count()
}

#[tokio::test]
async fn another_answer_is_shown_and_never_reaches_a_caller() {
    let house = House::new();
    assert_eq!(shown(&house).await, Value::Null);
    house.create(42).await;
    let other = fixtures::policy(fixtures::NOTHING);
    let findings = house.smuggle_beside(&other);
    let (status, body) = house.call("GET", "/actuator/backups").await;
    assert_eq!((status, &body[0]["backupId"]), (StatusCode::OK, &json!(42)));
    tally_of(&findings, 1).await;
    let (status, body) = house.call("GET", "/actuator/backups/42").await;
    assert_eq!((status, &body["backupId"]), (StatusCode::OK, &json!(42)));
    tally_of(&findings, 2).await;

    let shadow = shown(&house).await;
    assert_eq!(shadow["digest"], json!(Digest::of(&other).to_string()));
    assert_eq!((&shadow["source"], &shadow["ended"]), (&json!("upload"), &Value::Null));
    assert_eq!([&shadow["calls"], &shadow["same"], &shadow["skipped"]], [2, 0, 0]);
    assert_eq!([&shadow["different"], &shadow["failed"]], [1, 1]);
    let [list, get] = shadow["examples"].as_array().unwrap().as_slice() else { panic!("{shadow}") };
    assert_eq!((&list["operation"], &list["id"], &list["generation"]), (&json!("list"), &Value::Null, &json!(1)));
    assert!(list["served"].as_str().unwrap().contains("camunda_optimize_42_8.8.0_part_1_of_2"), "{list}");
    assert!(list["shadow"].as_str().unwrap().contains("backups: []"), "{list}");
    assert_eq!((&get["operation"], &get["id"]), (&json!("get"), &json!("42")));
    assert!(get["shadow"].as_str().unwrap().contains("breaks the contract"), "{get}");
    let serving = house.policies().serving();
    assert_eq!((serving.number, serving.failures()), (1, 0));
}

#[tokio::test]
async fn the_same_policy_answers_the_same_though_the_engine_goes_on() {
    let house = House::new();
    let (status, body) = house.upload("/actuator/policy/shadow?for=1h", &LATER).await;
    assert_eq!((status, &body["version"], &body["calls"]), (StatusCode::OK, &json!("7.0.0"), &json!(0)), "{body}");
    let findings = house.policies().shadows().report().unwrap();
    let mut calls = 0;
    for id in 1..=5 {
        for path in ["/actuator/backups".to_owned(), format!("/actuator/backups/{id}")] {
            house.call("GET", &path).await;
            // By now the shadow has not yet been asked.
            let name = format!("camunda_optimize_{id}_8.8.0_part_{}_of_2", calls % 2 + 1);
            house.engine.store("backups", StoredSnapshot::new(&name, SnapshotState::Success, house.engine.now()));
            calls += 1;
            tally_of(&findings, calls).await;
        }
    }
    assert_eq!(house.call("GET", "/actuator/backups").await.1.as_array().unwrap().len(), 5);
    let tally = findings.counts();
    assert_eq!((tally.different, tally.failed), (0, 0), "{:?}", tally.examples);
    assert_eq!(house.policies().serving().number, 1, "it never serves by itself");
}

#[tokio::test]
async fn failures_are_counted_until_there_are_too_many_in_a_row() {
    for body in [fixtures::TRAP, fixtures::ENDLESS] {
        let house = House::new();
        let findings = house.smuggle_beside(&fixtures::policy(body));
        for failed in 1..=u64::from(FAILURES) {
            assert_eq!(house.call("GET", "/actuator/backups").await, (StatusCode::OK, json!([])));
            assert_eq!(tally_of(&findings, failed).await.failed, failed);
        }
        house.expect_service().await;
        let tally = findings.counts();
        assert_eq!(tally.end.unwrap().reason, EndReason::KeepsFailing { operation: "list", failures: FAILURES });
        assert_eq!(tally.examples.len(), FAILURES as usize);
        let serving = house.policies().serving();
        assert_eq!((serving.number, serving.failures()), (1, 0));
        assert!(house.policies().incumbents().withdrawals.is_empty());
    }
}

#[tokio::test]
async fn a_shadow_writes_nothing() {
    let deleting = fixtures::policy_with(fixtures::DELETION, fixtures::DELETION_PATH);
    let house = House::new();
    house.create(7).await;
    let findings = house.smuggle_beside(&deleting);
    house.call("GET", "/actuator/backups").await;
    assert_eq!(tally_of(&findings, 1).await.different, 1);
    assert_eq!(deletions(&house.engine), 0);
    // Nor does it write as the serving policy, until it is asked to delete.
    house.smuggle_in(&deleting);
    house.call("GET", "/actuator/backups").await;
    assert_eq!(deletions(&house.engine), 0);
    house.call("DELETE", "/actuator/backups/7").await;
    assert!(deletions(&house.engine) > 0);
}

#[tokio::test]
async fn a_caller_who_finds_no_place_for_the_shadow_does_not_wait_for_one() {
    const CALLS: usize = 3 * PERMITS;
    let house = House::new();
    let findings = house.smuggle_beside(&fixtures::policy(fixtures::ENDLESS));
    // All at once: one after the other, on a busy machine, the last ones come when the first place is free again.
    for answer in join_all((0..CALLS).map(|_| house.call("GET", "/actuator/backups"))).await {
        assert_eq!(answer, (StatusCode::OK, json!([])));
    }
    let tally = tally_of(&findings, PERMITS as u64).await;
    assert!(tally.skipped > 0 && tally.failed >= PERMITS as u64, "{tally:?}");
}

#[tokio::test]
async fn its_time_is_up_one_day() {
    let house = House::new();
    let admitted = house.admitted(&LATER);
    let policy = Arc::downgrade(&admitted.policy);
    house.policies().shadows().begin(admitted, Duration::from_millis(100));
    let is_over = async || Ok(Some(shown(&house).await["ended"].clone()).filter(|ended| !ended.is_null()));
    let ended = poll_until("the end", PATIENCE, is_over).await.unwrap();
    assert_eq!(ended["reason"], json!("its time is up"));
    // Nobody has it any more, so nobody can ask it.
    poll_until("the policy to go", PATIENCE, async || Ok(policy.upgrade().is_none().then_some(()))).await.unwrap();
    house.expect_service().await;
    assert_eq!(shown(&house).await["calls"], json!(0));
}

/// What comes after them is only counted.
#[tokio::test]
async fn the_first_ten_differences_are_kept() {
    const LISTS: u64 = 11;
    let house = House::new();
    house.create(42).await;
    let findings = house.smuggle_beside(&fixtures::policy(fixtures::NOTHING));
    house.call("GET", "/actuator/backups/42").await;
    tally_of(&findings, 1).await;
    for lists in 1..=LISTS {
        house.call("GET", "/actuator/backups").await;
        tally_of(&findings, 1 + lists).await;
    }
    let shadow = shown(&house).await;
    assert_eq!((&shadow["failed"], &shadow["different"]), (&json!(1), &json!(LISTS)), "{shadow}");
    let examples = shadow["examples"].as_array().unwrap();
    let operations: Vec<&str> = examples.iter().filter_map(|example| example["operation"].as_str()).collect();
    assert_eq!(operations, [&["get"][..], &["list"; 9]].concat());
}

#[tokio::test]
async fn an_operator_ends_it() {
    let house = House::new();
    let (status, body) = end(&house, TOKEN).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::NOT_FOUND, &json!("noShadow")));
    house.smuggle_beside(&LATER);
    let (status, body) = end(&house, "a token of somebody").await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::UNAUTHORIZED, &json!("unauthorized")));
    assert_eq!(shown(&house).await["ended"], Value::Null);
    let (status, body) = end(&house, TOKEN).await;
    assert_eq!((status, &body["ended"]["reason"]), (StatusCode::OK, &json!("an operator ended it")));
    assert_eq!(shown(&house).await, body);
    assert_eq!(end(&house, TOKEN).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_one_takes_its_place_and_to_serve_ends_it() {
    let house = House::new();
    let first = house.smuggle_beside(&fixtures::policy(fixtures::NOTHING));
    let second = house.smuggle_beside(&LATER);
    assert_eq!(first.counts().end.unwrap().reason, EndReason::Replaced);
    house.smuggle_in(&fixtures::policy(fixtures::TRAP));
    assert!(second.counts().end.is_none(), "it goes on beside whichever policy serves");
    assert_eq!(house.call("GET", "/actuator/backups").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(tally_of(&second, 1).await.examples[0].generation, 2);
    assert_eq!(house.offer(&LATER).await.unwrap(), 3);
    assert_eq!(second.counts().end.unwrap().reason, EndReason::Serves);
}

#[tokio::test]
async fn one_that_may_not_serve_is_not_tried_either() {
    let house = House::new();
    house.smuggle_in(&LATER);
    let older = fixtures::embedded_as("6.0.0");
    let (status, body) = house.upload("/actuator/policy/shadow?for=1m", &older).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::CONFLICT, &json!("policySuperseded")));
    assert_eq!(shown(&house).await, Value::Null);
    let (status, _) = house.upload("/actuator/policy/shadow?for=1m&force=true", &older).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(house.policies().serving().number, 2);
    assert_eq!(house.policies().previous().unwrap().number, 1, "the way back is as before");
}
