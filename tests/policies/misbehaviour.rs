//! Policies that misbehave in every call: the call fails, and after some failures the previous policy returns.

use axum::http::StatusCode;
use backup_core::memory::MemoryEngine;
use backup_test_hosts::{MAX_FAILURES, TestHost, candidate};
use optimize_backup::policy::Source;
use optimize_backup::policy::admission::{AdmissionError, LineageError};
use optimize_backup::sandbox::types::ListQuery;
use optimize_backup::sandbox::{CallError, CallLimit};
use serde_json::json;

use crate::fixtures;
use crate::test_host;

/// The error of one call of a policy of which every operation does this.
async fn error_of(body: &str) -> (TestHost, CallError) {
    let host = test_host();
    host.serve_unchecked(&fixtures::policy(body));
    let error = host.policies().calls().create("9", Vec::new()).await.unwrap_err();
    (host, error)
}

fn is_untouched(engine: &MemoryEngine) -> bool {
    engine.requests().is_empty()
}

#[tokio::test]
async fn an_endless_call_ends_with_its_processor_time() {
    for body in [fixtures::ENDLESS, fixtures::MILLION_CALLS] {
        let (host, error) = error_of(body).await;
        assert!(matches!(error, CallError::LimitByPolicy { limit: CallLimit::ProcessorTime, .. }), "{error}");
        assert!(is_untouched(&host.engine), "GET / is not granted");
    }
}

#[tokio::test]
async fn a_limit_ends_the_call_that_breaks_it() {
    for (body, words) in
        [(fixtures::TRAP, "unreachable"), (fixtures::RECURSION, "stack"), (fixtures::OUTSIDE, "out of bounds")]
    {
        let (host, error) = error_of(body).await;
        assert!(matches!(&error, CallError::Trapped(text) if text.contains(words)), "{words}: {error}");
        assert!(is_untouched(&host.engine));
    }
    for (body, expected) in [(fixtures::BOMB, CallLimit::Memory), (fixtures::HUGE_LIST, CallLimit::Transfer)] {
        let (host, error) = error_of(body).await;
        assert!(matches!(&error, CallError::LimitByPolicy { limit, read: 0 } if *limit == expected), "{error}");
        assert!(error.to_string().contains(expected.setting()), "{error}");
        assert!(is_untouched(&host.engine));
    }
}

#[tokio::test]
async fn an_answer_that_is_none_ends_the_call() {
    let (_, error) = error_of(fixtures::SEVEN).await;
    assert_eq!(
        error.to_string(),
        "the policy's answer breaks the contract: it was asked for the backup 9 and answered for 7"
    );
    let (_, error) = error_of(fixtures::NOT_UTF8).await;
    assert!(matches!(&error, CallError::Trapped(text) if text.contains("utf-8")), "{error}");
    let (_, error) = error_of(fixtures::ENDLESS_TEXT).await;
    assert!(matches!(error, CallError::Trapped(_) | CallError::LimitByPolicy { .. }), "{error}");
}

#[tokio::test]
async fn a_policy_that_keeps_failing_goes_and_stays_away() {
    let host = test_host();
    let failing = fixtures::policy(fixtures::TRAP);
    host.serve_unchecked(&failing);
    for _ in 0..MAX_FAILURES {
        let (status, body) = host.call("GET", "/actuator/backups").await;
        assert_eq!((status, &body["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("policyFailed")));
    }
    host.expect_service().await;
    let serving = host.policies().serving();
    assert_eq!(serving.number, 3);
    assert!(matches!(serving.admitted.source, Source::Return { generation: 1, .. }));
    // Its digest is remembered as withdrawn.
    let refusal = host.updates.submit(candidate(&failing)).await.err().unwrap();
    assert!(matches!(refusal, AdmissionError::Lineage(LineageError::Withdrawn { .. })), "{refusal}");
    // There is no previous policy any more: a policy that fails now stays.
    assert!(host.policies().previous().is_none());
}

#[tokio::test]
async fn two_failing_policies_do_not_take_turns() {
    let host = test_host();
    host.serve_unchecked(&fixtures::policy(fixtures::TRAP));
    host.serve_unchecked(&fixtures::policy(fixtures::RECURSION));
    for _ in 0..MAX_FAILURES * 4 {
        assert_eq!(host.call("GET", "/actuator/backups").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    }
    // One generation for each policy, and one for the return.
    assert_eq!(host.policies().serving().number, 4);
}

#[tokio::test]
async fn failures_that_are_not_in_a_row_are_borne() {
    let host = test_host();
    host.serve_unchecked(&fixtures::policy(fixtures::SEVEN));
    let operations = host.policies().calls();
    for _ in 0..MAX_FAILURES * 2 {
        assert!(operations.create("9", Vec::new()).await.is_err());
        assert!(operations.create("7", Vec::new()).await.is_ok());
    }
    assert_eq!(host.policies().serving().number, 2);
    assert_eq!(host.policies().serving().failures(), u64::from(MAX_FAILURES * 2));
}

#[tokio::test]
async fn a_run_resumes_with_the_successor_of_a_policy_that_was_withdrawn() {
    let host = test_host();
    host.serve_unchecked(&fixtures::policy(fixtures::TRAP));
    let operations = host.policies().calls();
    for _ in 0..MAX_FAILURES {
        assert!(operations.advance(9, Vec::new()).await.is_err());
    }
    let successor = host.policies().successor_of(operations);
    assert!(successor.list(&ListQuery::default(), Vec::new()).await.is_ok());
}
