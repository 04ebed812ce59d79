//! A policy that is admitted and misbehaves in production: the call fails, no request of it reaches the engine, and
//! other callers are served before, during and after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::ensure;
use axum::http::StatusCode;
use backup_test_hosts::policies::ids;
use backup_test_hosts::{MAX_FAILURES, Options, TestHost};
use backup_test_support::poll_until;
use optimize_backup::policy::Digest;
use optimize_backup::policy::admission::{AdmissionError, LineageError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fixtures::{HOSTILE, LATER};
use crate::options;

const TRAPPED: &str = "the policy failed: wasm trap: wasm `unreachable` instruction executed";

/// A host with the hostile policy, which has passed every step of the admission.
pub(crate) async fn taken_in(plan: Options) -> Arc<TestHost> {
    let host = TestHost::new(plan);
    assert_eq!(host.offer(&HOSTILE).await.unwrap(), 2);
    Arc::new(host)
}

/// Another caller, who sends requests until this is dropped or [`Bystander::leaves`].
struct Bystander {
    gone: CancellationToken,
    served: Arc<AtomicU64>,
    calls: JoinHandle<()>,
}

impl Bystander {
    fn at(host: &Arc<TestHost>) -> Self {
        let (gone, served) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let calls = tokio::spawn(call_until(Arc::clone(host), Arc::clone(&served), gone.clone()));
        Self { gone, served, calls }
    }

    /// A call of another caller: the bystander is served before it, and again after it.
    async fn beside<T>(&self, call: impl Future<Output = T>) -> T {
        self.is_served().await;
        let outcome = call.await;
        self.is_served().await;
        outcome
    }

    /// With a call that begins only now: the first one that it counts may have begun before.
    async fn is_served(&self) {
        let so_far = self.served.load(Ordering::Relaxed);
        poll_until("the bystander", Duration::from_secs(60), async || {
            ensure!(!self.calls.is_finished(), "it got another answer than it should");
            Ok((self.served.load(Ordering::Relaxed) >= so_far + 2).then_some(()))
        })
        .await
        .unwrap();
    }

    /// Every call was answered as it should be.
    async fn leaves(self) {
        self.gone.cancel();
        self.calls.await.unwrap();
    }
}

async fn call_until(host: Arc<TestHost>, served: Arc<AtomicU64>, gone: CancellationToken) {
    while !gone.is_cancelled() {
        expect_service(&host).await;
        served.fetch_add(1, Ordering::Relaxed);
    }
}

/// For an id that is not in `ids`, the hostile policy answers as the embedded one does.
async fn expect_service(host: &TestHost) {
    let (status, body) = host.call("GET", "/actuator/backups/5").await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::NOT_FOUND, &json!("backupNotFound")), "{body}");
    let (status, body) = host.call("GET", "/actuator/backups/abc").await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::BAD_REQUEST, &json!("invalidBackupId")), "{body}");
}

/// One call fails with `policyFailed`; its message.
async fn failure(host: &TestHost, method: &str, id: u64) -> String {
    let (status, body) = match method {
        "POST" => host.create(id).await,
        "PROGRESS" => host.call("GET", &format!("/actuator/backups/{id}/progress")).await,
        _ => host.call(method, &format!("/actuator/backups/{id}")).await,
    };
    assert_eq!((status, &body["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("policyFailed")), "{body}");
    body["errorMessage"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_traps_harms_no_other() {
    let host = taken_in(options()).await;
    let bystander = Bystander::at(&host);
    for method in ["GET", "PROGRESS", "POST", "DELETE"] {
        assert_eq!(bystander.beside(failure(&host, method, ids::TRAP)).await, TRAPPED);
    }
    bystander.leaves().await;
    assert_eq!(host.policies().serving().number, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_against_the_contract_reaches_nobody() {
    let host = taken_in(options()).await;
    let bystander = Bystander::at(&host);
    let breaks = |what: &str| format!("the policy's answer breaks the contract: {what}");
    let other_names = "it names the snapshot 'camunda_optimize_1008_8.6.0_part_1_of_2' for the backup 1007; \
        its snapshots start with camunda_optimize_1007_";
    for (method, id, violation) in [
        (
            "GET",
            ids::ONE_PART,
            "it calls the backup 1006 complete, of which 1 of 1 snapshots succeeded; a complete one has exactly \
             two, both successful",
        ),
        ("GET", ids::OTHER_NAMES, other_names),
        ("DELETE", ids::OTHER_NAMES, other_names),
        ("POST", ids::OTHER_NAMES, other_names),
        ("PROGRESS", ids::TOO_FAR, "it says that 1001 thousandths of the backup 1010 are done, which is IN_PROGRESS"),
        ("GET", ids::OTHER_ID, "it was asked for the backup 1008 and answered for 1009"),
    ] {
        assert_eq!(bystander.beside(failure(&host, method, id)).await, breaks(violation));
        expect_service(&host).await;
    }
    bystander.leaves().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_measure_ends_the_call() {
    let host = taken_in(options()).await;
    let bystander = Bystander::at(&host);
    let [memory, transfer] = ["policy.maxMemoryBytes", "policy.maxTransferBytes"];
    for (id, words) in [(ids::BOMB, memory), (ids::HUGE_LIST, transfer), (ids::HUGE_TEXT, transfer)] {
        let message = bystander.beside(failure(&host, "GET", id)).await;
        assert!(message.contains(words), "{message}");
        expect_service(&host).await;
    }
    bystander.leaves().await;
}

/// The message with which the host denies a request that the policy sends in production.
async fn denial(host: &TestHost, request: &Value) -> String {
    let id = request.to_string();
    let path = format!("/actuator/backups/{}", utf8_percent_encode(&id, NON_ALPHANUMERIC));
    let (status, body) = host.call("GET", &path).await;
    assert_eq!(
        (status, &body["errorCode"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &json!("requestNotGranted")),
        "{body}"
    );
    body["errorMessage"].as_str().unwrap().to_owned()
}

fn get(path: &[&str]) -> Value {
    json!({"method": "GET", "path": path})
}

fn delete(path: &[&str]) -> Value {
    json!({"method": "DELETE", "path": path})
}

fn put(body: &str) -> Value {
    json!({"method": "PUT", "path": ["_snapshot", "backups", "camunda_optimize_7_8.6.0_part_1_of_2"], "body": body})
}

/// Requests outside the grants, each with the denial.
fn forbidden() -> Vec<(Value, &'static str)> {
    vec![
        (get(&["_snapshot", "other", "camunda_optimize_*"]), "repository `other` is not granted, only `backups`"),
        (get(&["_snapshot", "*"]), "repository `*` is not granted, only `backups`"),
        (get(&["_snapshot", "_all"]), "repository `_all` is not granted, only `backups`"),
        (
            get(&["_resolve", "index", "zeebe-record-*"]),
            "index expression `zeebe-record-*` is not granted here, only `optimize-*`",
        ),
        (get(&["_resolve", "index", "*"]), "index expression `*` is not granted here, only `optimize-*`"),
        (get(&["_resolve", "index", "_all"]), "index expression `_all` is not granted here, only `optimize-*`"),
        (get(&["_security", "user"]), "`GET /_security/user` is none of the granted requests"),
        (
            delete(&["_snapshot", "backups", "*"]),
            "snapshot name `*` is not granted, only exact names that start with `camunda_optimize_`",
        ),
        (
            delete(&["_snapshot", "backups", "camunda_optimize_*"]),
            "snapshot name `camunda_optimize_*` is not granted, only exact names that start with `camunda_optimize_`",
        ),
        (
            put(r#"{"indices":["zeebe-record"],"include_global_state":false}"#),
            "index `zeebe-record` in the body is not granted, only exact names that start with `optimize-`",
        ),
        (
            put(r#"{"indices":["optimize-*"],"include_global_state":false}"#),
            "index `optimize-*` in the body is not granted, only exact names that start with `optimize-`",
        ),
        (
            put(r#"{"indices":["_all"],"include_global_state":false}"#),
            "index `_all` in the body is not granted, only exact names that start with `optimize-`",
        ),
        (
            put(r#"{"indices":["optimize-settings_v3"],"include_global_state":true}"#),
            "in the body, `include_global_state` is not granted, only `false`",
        ),
        (
            put(r#"{"indices":[],"include_global_state":false}"#),
            "the body lists no index, which would mean every index of the cluster",
        ),
        (
            get(&["http://attacker.example/_search"]),
            "`GET /http://attacker.example/_search` is none of the granted requests",
        ),
        (get(&["_snapshot", "backups%2F..", "x"]), "repository `backups%2F..` is not granted, only `backups`"),
        (
            delete(&["_snapshot", "backups", "camunda_optimize_7%2F.."]),
            "snapshot name `camunda_optimize_7%2F..` is not granted, only exact names that start with `camunda_optimize_`",
        ),
        (
            delete(&["_snapshot", "backups", "camunda_optimize_7\r\nX-Evil: 1"]),
            "snapshot name `camunda_optimize_7\\r\\nX-Evil: 1` is not granted, only exact names that start with \
             `camunda_optimize_`",
        ),
        (
            get(&["_snapshot", "backups", "..", "..", "_security"]),
            "`GET /_snapshot/backups/../../_security` is none of the granted requests",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_outside_the_grants_is_denied_and_not_sent() {
    let host = taken_in(options()).await;
    let bystander = Bystander::at(&host);
    for (mut request, expected) in forbidden() {
        assert_eq!(bystander.beside(denial(&host, &request)).await, expected);
        request["submit"] = json!(true);
        assert_eq!(denial(&host, &request).await, expected);
    }
    bystander.leaves().await;
    let sent = host.engine.requests();
    assert!(
        sent.iter().all(|request| request.to_string() == "GET /_snapshot/backups/camunda_optimize_5_*"),
        "{sent:?}"
    );
    assert_eq!(host.policies().serving().failures(), 0, "a denial is an answer");
}

#[tokio::test]
async fn a_policy_that_only_pretended_in_the_self_test_goes_and_stays_away() {
    let host = taken_in(Options { repository: ids::TRAPS, ..options() }).await;
    for _ in 0..MAX_FAILURES {
        let (status, body) = host.call("GET", "/actuator/backups").await;
        assert_eq!((status, &body["errorMessage"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!(TRAPPED)));
    }
    for _ in 0..MAX_FAILURES * 4 {
        host.expect_service().await;
    }
    let (_, body) = host.call("GET", "/actuator/policy").await;
    let reason = format!("{MAX_FAILURES} calls of list in a row failed, the last one so: {TRAPPED}");
    assert_eq!(body["serving"]["generation"], json!(3));
    assert_eq!(body["serving"]["source"], json!(format!("return of generation 1: {reason}")));
    assert_eq!(body["withdrawn"], json!([{"digest": Digest::of(&HOSTILE).to_string(), "reason": reason}]));
    assert_eq!(body["previous"], Value::Null);
    let refusal = host.offer(&HOSTILE).await.unwrap_err();
    assert!(matches!(&refusal, AdmissionError::Lineage(LineageError::Withdrawn { reason: known }) if *known == reason));
}

/// Waits until a backup is complete, with a GET of it each time, as operators do.
pub(crate) async fn ends_complete(host: &TestHost, id: u64) {
    let path = format!("/actuator/backups/{id}");
    poll_until("COMPLETE", Duration::from_secs(60), async || {
        host.finish_snapshots();
        let (_, backup) = host.call("GET", &path).await;
        Ok((backup["state"] == json!("COMPLETE")).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(host.engine.snapshots("backups").len(), 2);
}

#[tokio::test]
async fn a_backup_ends_complete_though_its_policy_traps_in_the_middle() {
    let host = taken_in(options()).await;
    assert_eq!(host.create(ids::TRAP_IN_THE_GAP).await.0, StatusCode::ACCEPTED);
    ends_complete(&host, ids::TRAP_IN_THE_GAP).await;
    // The first policy has come back.
    assert_eq!(host.policies().serving().number, 3);
    assert!(host.policies().incumbents().withdrawals[0].reason.contains("calls of advance in a row"));
}

#[tokio::test]
async fn a_backup_ends_complete_though_its_policy_takes_it_for_another() {
    let host = taken_in(options()).await;
    assert_eq!(host.create(ids::CHANGING_ID).await.0, StatusCode::ACCEPTED);
    ends_complete(&host, ids::CHANGING_ID).await;
    let withdrawal = async || Ok(host.policies().incumbents().withdrawals.pop());
    let withdrawal = poll_until("the withdrawal", Duration::from_secs(60), withdrawal).await.unwrap();
    assert!(withdrawal.reason.ends_with("it was asked for the backup 1009 and answered for 1010"));
}

#[tokio::test]
async fn a_backup_ends_complete_though_its_policy_was_replaced_and_then_traps() {
    let host = taken_in(options()).await;
    assert_eq!(host.create(ids::TRAP_IN_THE_GAP).await.0, StatusCode::ACCEPTED);
    assert_eq!(host.offer(&LATER).await.unwrap(), 3);
    ends_complete(&host, ids::TRAP_IN_THE_GAP).await;
    // The run resumes with the policy that serves, and there is no way back to the one that failed.
    assert_eq!(host.policies().serving().number, 3);
    assert_eq!(host.policies().incumbents().withdrawals[0].digest, Digest::of(&HOSTILE));
    assert!(host.policies().previous().is_none());
}
