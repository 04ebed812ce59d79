//! A policy that sends, in production, requests that its call has no grant for.

use std::sync::Arc;

use axum::http::StatusCode;
use backup_core::Method;
use backup_test_hosts::policies::ids;
use backup_test_hosts::{Options, TestHost};
use backup_test_support::installation::part;
use optimize_backup::policy::admission::AdmissionError;
use serde_json::json;

use crate::fixtures;
use crate::hostile::{ends_complete, taken_in};
use crate::log::Log;
use crate::{options, test_host};

const READS: &str = "a call that only reads: only GET";

/// A host with a backup that is complete.
async fn with_victim(plan: Options) -> Arc<TestHost> {
    let host = taken_in(plan).await;
    assert_eq!(host.create(ids::VICTIM).await.0, StatusCode::ACCEPTED);
    ends_complete(&host, ids::VICTIM).await;
    host
}

/// The denial of a request in a call of `operation`.
fn denial(found: &str, operation: &str, id: u64) -> String {
    let verb = if operation == "delete" { "DELETE" } else { "PUT" };
    let call = format!("a call of {operation} for backup {id}: only GET, and {verb} of `camunda_optimize_{id}_…`");
    format!("`{found}` is not granted to {call}")
}

/// The requests that have reached the engine and can change something.
fn writes(host: &TestHost) -> Vec<String> {
    let requests = host.engine.requests();
    requests.iter().filter(|request| request.method != Method::Get).map(ToString::to_string).collect()
}

/// The two requests that made a backup.
fn creation_of(id: u64) -> [String; 2] {
    [1, 2].map(|number| format!("PUT /_snapshot/backups/{}", part(id, number)))
}

#[tokio::test]
async fn a_call_writes_nothing_that_it_is_not_for() {
    let host = with_victim(options()).await;
    let victims = part(ids::VICTIM, 1);
    for (method, id, told) in [
        ("GET", ids::DELETES_ON_GET, format!("`DELETE {victims}` is not granted to {READS}")),
        ("GET", ids::CREATES_ON_GET, format!("`PUT {}` is not granted to {READS}", part(ids::CREATES_ON_GET, 1))),
        ("POST", ids::DELETES_ON_CREATE, denial(&format!("DELETE {victims}"), "create", ids::DELETES_ON_CREATE)),
        (
            "POST",
            ids::CREATES_ANOTHER,
            denial(&format!("PUT {}", part(ids::CREATES_ANOTHER + 1, 1)), "create", ids::CREATES_ANOTHER),
        ),
        ("DELETE", ids::DELETES_ANOTHER, denial(&format!("DELETE {victims}"), "delete", ids::DELETES_ANOTHER)),
        (
            "DELETE",
            ids::CREATES_ON_DELETE,
            denial(&format!("PUT {}", part(ids::CREATES_ON_DELETE, 1)), "delete", ids::CREATES_ON_DELETE),
        ),
    ] {
        let (status, body) = match method {
            "POST" => host.create(id).await,
            _ => host.call(method, &format!("/actuator/backups/{id}")).await,
        };
        let found = (status, &body["errorCode"], &body["errorMessage"]);
        assert_eq!(found, (StatusCode::INTERNAL_SERVER_ERROR, &json!("requestNotGranted"), &json!(told)));
    }
    assert_eq!(writes(&host), creation_of(ids::VICTIM));
    assert_eq!(host.policies().serving().failures(), 0, "a denial is an answer");
}

#[tokio::test]
async fn a_list_deletes_nothing() {
    let host = taken_in(Options { repository: ids::DELETES_ON_LIST, ..options() }).await;
    assert_eq!(host.create(ids::VICTIM).await.0, StatusCode::ACCEPTED);
    let (log, _guard) = Log::start();
    let (status, body) = host.call("GET", "/actuator/backups").await;
    let told = format!("`DELETE {}` is not granted to {READS}", part(ids::VICTIM, 1));
    assert_eq!((status, &body["errorMessage"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!(told)), "{body}");
    let logged = log.events("denied a policy's request");
    assert_eq!(logged.len(), 2, "by `send` and by `submit`");
    assert!(logged.iter().all(|event| event["fields"]["denial"] == json!(told)), "{logged:?}");
    assert_eq!(logged[0]["span"]["operation"], json!("list"));
    let put = format!("PUT /_snapshot/{}/{}", ids::DELETES_ON_LIST, part(ids::VICTIM, 1));
    assert_eq!(writes(&host), [put]);
}

async fn is_denied_in_a_step(id: u64, found: &str) {
    let host = taken_in(options()).await;
    let (log, _guard) = Log::start();
    assert_eq!(host.create(id).await.0, StatusCode::ACCEPTED);
    ends_complete(&host, id).await;
    let told = json!(denial(found, "advance", id));
    let logged = log.events("denied a policy's request");
    assert!(!logged.is_empty() && logged.iter().all(|event| event["fields"]["denial"] == told), "{logged:?}");
    assert_eq!(writes(&host), creation_of(id));
}

#[tokio::test]
async fn a_step_of_a_run_deletes_nothing() {
    let id = ids::DELETES_ON_ADVANCE;
    is_denied_in_a_step(id, &format!("DELETE {}", part(id, 1))).await;
}

#[tokio::test]
async fn a_step_of_a_run_makes_no_other_backup() {
    let id = ids::CREATES_ANOTHER_ON_ADVANCE;
    is_denied_in_a_step(id, &format!("PUT {}", part(id + 1, 1))).await;
}

#[tokio::test]
async fn what_asks_for_more_in_the_self_test_is_refused() {
    let host = test_host();
    let refusal = host.offer(&fixtures::overreaching_in_the_self_test()).await.unwrap_err();
    assert!(matches!(refusal, AdmissionError::SelfTest(_)), "{refusal}");
    let told = format!("found `DELETE {}` is not granted to {READS}", part(ids::VICTIM, 1));
    assert!(refusal.to_string().ends_with(&told), "{refusal}");
    assert_eq!(host.policies().serving().number, 1);
}

/// No grant tells whose the snapshots of an ID are.
#[tokio::test]
async fn what_deletes_anothers_backup_is_refused() {
    let host = test_host();
    let refusal = host.offer(&fixtures::ignoring_installations()).await.unwrap_err();
    let AdmissionError::SelfTest(error) = &refusal else { panic!("{refusal}") };
    assert_eq!(error.case, "backups of another installation in the repository");
    assert_eq!(host.policies().serving().number, 1);
}
