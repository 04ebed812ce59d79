//! Policies that serve, and should not: what they do ends with the call, and soon with their service.

use axum::http::StatusCode;
use backup_core::memory::MemoryEngine;
use optimize_backup::policy::Source;
use optimize_backup::policy::admission::{AdmissionError, LineageError};
use optimize_backup::sandbox::CallError;
use serde_json::json;

use crate::fixtures;
use crate::house::{FAILURES, House, candidate};

/// The error of one call of a policy of which every operation does this.
async fn error_of(body: &str) -> (House, CallError) {
    let house = House::new();
    house.smuggle_in(&fixtures::policy(body));
    let error = house.policies().calls().create("9", Vec::new()).await.unwrap_err();
    (house, error)
}

fn is_untouched(engine: &MemoryEngine) -> bool {
    engine.requests().is_empty()
}

#[tokio::test]
async fn an_endless_call_ends_with_its_processor_time() {
    for body in [fixtures::ENDLESS, fixtures::MILLION_CALLS] {
        let (house, error) = error_of(body).await;
        assert!(matches!(error, CallError::OutOfTime), "{error}");
        assert!(is_untouched(&house.engine), "GET / is not granted");
    }
}

#[tokio::test]
async fn a_limit_ends_the_call_that_breaks_it() {
    for (body, words) in [
        (fixtures::TRAP, "unreachable"),
        (fixtures::BOMB, "grow"),
        (fixtures::RECURSION, "stack"),
        (fixtures::HUGE_LIST, "fuel"),
        (fixtures::OUTSIDE, "out of bounds"),
    ] {
        let (house, error) = error_of(body).await;
        assert!(matches!(&error, CallError::Trapped(text) if text.contains(words)), "{words}: {error}");
        assert!(is_untouched(&house.engine));
    }
}

#[tokio::test]
async fn an_answer_that_is_none_ends_the_call() {
    let (_, error) = error_of(fixtures::SEVEN).await;
    assert_eq!(
        error.to_string(),
        "the policy's answer breaks the contract: it was asked for the backup 9 and answered for 7"
    );
    let (_, error) = error_of(fixtures::NO_TEXT).await;
    assert!(matches!(&error, CallError::Trapped(text) if text.contains("utf-8")), "{error}");
    let (_, error) = error_of(fixtures::ENDLESS_TEXT).await;
    assert!(matches!(error, CallError::Trapped(_)), "{error}");
}

#[tokio::test]
async fn a_policy_that_keeps_failing_goes_and_stays_away() {
    let house = House::new();
    let failing = fixtures::policy(fixtures::TRAP);
    house.smuggle_in(&failing);
    for _ in 0..FAILURES {
        let (status, body) = house.call("GET", "/actuator/backups").await;
        assert_eq!((status, &body["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("policyFailed")));
    }
    house.expect_service().await;
    let serving = house.policies().serving();
    assert_eq!(serving.number, 3);
    assert!(matches!(serving.admitted.source, Source::Return { generation: 1, .. }));
    // It is known here now.
    let refusal = house.updates.submit(candidate(&failing)).await.err().unwrap();
    assert!(matches!(refusal, AdmissionError::Lineage(LineageError::Withdrawn { .. })), "{refusal}");
    // There is nothing left to return to: one that fails now stays.
    assert!(house.policies().previous().is_none());
}

#[tokio::test]
async fn two_failing_policies_do_not_take_turns() {
    let house = House::new();
    house.smuggle_in(&fixtures::policy(fixtures::TRAP));
    house.smuggle_in(&fixtures::policy(fixtures::RECURSION));
    for _ in 0..FAILURES * 4 {
        assert_eq!(house.call("GET", "/actuator/backups").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    }
    // One exchange for each that was brought in, and one return.
    assert_eq!(house.policies().serving().number, 4);
}

#[tokio::test]
async fn failures_that_are_not_in_a_row_are_borne() {
    let house = House::new();
    house.smuggle_in(&fixtures::policy(fixtures::SEVEN));
    let operations = house.policies().calls();
    for _ in 0..FAILURES * 2 {
        assert!(operations.create("9", Vec::new()).await.is_err());
        assert!(operations.create("7", Vec::new()).await.is_ok());
    }
    assert_eq!(house.policies().serving().number, 2);
    assert_eq!(house.policies().serving().failures(), u64::from(FAILURES * 2));
}

#[tokio::test]
async fn a_run_goes_on_with_the_successor_of_a_policy_that_was_withdrawn() {
    let house = House::new();
    house.smuggle_in(&fixtures::policy(fixtures::TRAP));
    let operations = house.policies().calls();
    for _ in 0..FAILURES {
        assert!(operations.advance(9, Vec::new()).await.is_err());
    }
    let successor = house.policies().successor_of(operations);
    assert!(successor.list(Vec::new()).await.is_ok());
}
