//! A policy that is admitted, and misbehaves in production. What it does ends with the call that it does it
//! in, nothing of it gets to the engine, and all others are served all through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::ensure;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use backup_test_support::poll_until;
use optimize_backup::policy::Digest;
use optimize_backup::policy::admission::{AdmissionError, LineageError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fixtures::{HOSTILE, LATER};
use crate::house::{FAILURES, House, Plan};
use crate::ids;

const TRAPPED: &str = "the policy failed: wasm trap: wasm `unreachable` instruction executed";

/// A host with the hostile policy, which has passed every step of the admission.
pub(crate) async fn taken_in(plan: Plan) -> Arc<House> {
    let house = House::build(plan);
    assert_eq!(house.offer(&HOSTILE).await.unwrap(), 2);
    Arc::new(house)
}

/// Somebody else, who calls for as long as this is there.
struct Bystander {
    gone: CancellationToken,
    served: Arc<AtomicU64>,
    calls: JoinHandle<()>,
}

impl Bystander {
    fn at(house: &Arc<House>) -> Self {
        let (gone, served) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let calls = tokio::spawn(call_until(Arc::clone(house), Arc::clone(&served), gone.clone()));
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

async fn call_until(house: Arc<House>, served: Arc<AtomicU64>, gone: CancellationToken) {
    while !gone.is_cancelled() {
        expect_service(&house).await;
        served.fetch_add(1, Ordering::Relaxed);
    }
}

/// An id that means nothing to the hostile policy is treated as it should be.
async fn expect_service(house: &House) {
    let (status, body) = house.call("GET", "/actuator/backups/5").await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::NOT_FOUND, &json!("backupNotFound")), "{body}");
    let (status, body) = house.call("GET", "/actuator/backups/abc").await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::BAD_REQUEST, &json!("invalidBackupId")), "{body}");
}

/// One call fails as the policy's fault; what it said of itself.
async fn failure(house: &House, method: &str, id: u64) -> String {
    let (status, body) = match method {
        "POST" => house.create(id).await,
        _ => house.call(method, &format!("/actuator/backups/{id}")).await,
    };
    assert_eq!((status, &body["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("policyFailed")), "{body}");
    body["errorMessage"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_traps_harms_no_other() {
    let house = taken_in(Plan::default()).await;
    let bystander = Bystander::at(&house);
    for method in ["GET", "POST", "DELETE"] {
        assert_eq!(bystander.beside(failure(&house, method, ids::TRAP)).await, TRAPPED);
    }
    bystander.leaves().await;
    assert_eq!(house.policies().serving().number, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_against_the_contract_reaches_nobody() {
    let house = taken_in(Plan::default()).await;
    let bystander = Bystander::at(&house);
    let breaks = |what: &str| format!("the policy's answer breaks the contract: {what}");
    let other_names = "it names the snapshot 'camunda_optimize_1008_8.8.0_part_1_of_2' for the backup 1007; \
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
        ("GET", ids::OTHER_ID, "it was asked for the backup 1008 and answered for 1009"),
    ] {
        assert_eq!(bystander.beside(failure(&house, method, id)).await, breaks(violation));
        expect_service(&house).await;
    }
    bystander.leaves().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_measure_ends_the_call() {
    let house = taken_in(Plan::default()).await;
    let bystander = Bystander::at(&house);
    for (id, words) in [(ids::BOMB, "growing memory"), (ids::HUGE_LIST, "fuel"), (ids::HUGE_TEXT, "fuel")] {
        let message = bystander.beside(failure(&house, "GET", id)).await;
        assert!(message.contains(words), "{message}");
        expect_service(&house).await;
    }
    bystander.leaves().await;
}

/// What the host says to a request that the policy sends in production.
async fn denial(house: &House, request: &Value) -> String {
    let id = request.to_string();
    let path = format!("/actuator/backups/{}", utf8_percent_encode(&id, NON_ALPHANUMERIC));
    let (status, body) = house.send(Request::get(path).body(Body::empty()).unwrap()).await;
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
    json!({"method": "PUT", "path": ["_snapshot", "backups", "camunda_optimize_7_8.8.0_part_1_of_2"], "body": body})
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
    let house = taken_in(Plan::default()).await;
    let bystander = Bystander::at(&house);
    for (mut request, expected) in forbidden() {
        assert_eq!(bystander.beside(denial(&house, &request)).await, expected);
        request["submit"] = json!(true);
        assert_eq!(denial(&house, &request).await, expected);
    }
    bystander.leaves().await;
    let sent = house.engine.requests();
    assert!(
        sent.iter().all(|request| request.to_string() == "GET /_snapshot/backups/camunda_optimize_5_*"),
        "{sent:?}"
    );
    assert_eq!(house.policies().serving().failures(), 0, "a denial is an answer");
}

#[tokio::test]
async fn a_policy_that_only_pretended_in_the_self_test_goes_and_stays_away() {
    let house = taken_in(Plan { repository: ids::TRAPS, ..Plan::default() }).await;
    for _ in 0..FAILURES {
        let (status, body) = house.call("GET", "/actuator/backups").await;
        assert_eq!((status, &body["errorMessage"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!(TRAPPED)));
    }
    for _ in 0..FAILURES * 4 {
        house.expect_service().await;
    }
    let (_, body) = house.call("GET", "/actuator/policy").await;
    let reason = format!("{FAILURES} calls of list in a row failed, the last one so: {TRAPPED}");
    assert_eq!(body["serving"]["generation"], json!(3));
    assert_eq!(body["serving"]["source"], json!(format!("return of generation 1: {reason}")));
    assert_eq!(body["withdrawn"], json!([{"digest": Digest::of(&HOSTILE).to_string(), "reason": reason}]));
    assert_eq!(body["previous"], Value::Null);
    let refusal = house.offer(&HOSTILE).await.unwrap_err();
    assert!(matches!(&refusal, AdmissionError::Lineage(LineageError::Withdrawn { reason: known }) if *known == reason));
}

/// Waits for the end of a backup, and asks all the time how far it is, as operators do.
pub(crate) async fn ends_complete(house: &House, id: u64) {
    let path = format!("/actuator/backups/{id}");
    poll_until("COMPLETE", Duration::from_secs(60), async || {
        house.finish_snapshots();
        let (_, backup) = house.call("GET", &path).await;
        Ok((backup["state"] == json!("COMPLETE")).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(house.engine.snapshots("backups").len(), 2);
}

#[tokio::test]
async fn a_backup_ends_complete_though_its_policy_traps_in_the_middle() {
    let house = taken_in(Plan::default()).await;
    assert_eq!(house.create(ids::TRAP_IN_THE_GAP).await.0, StatusCode::ACCEPTED);
    ends_complete(&house, ids::TRAP_IN_THE_GAP).await;
    // The first policy has come back.
    assert_eq!(house.policies().serving().number, 3);
    assert!(house.policies().incumbents().withdrawals[0].reason.contains("calls of advance in a row"));
}

#[tokio::test]
async fn a_backup_ends_complete_though_its_policy_takes_it_for_another() {
    let house = taken_in(Plan::default()).await;
    assert_eq!(house.create(ids::CHANGING_ID).await.0, StatusCode::ACCEPTED);
    ends_complete(&house, ids::CHANGING_ID).await;
    let withdrawal = async || Ok(house.policies().incumbents().withdrawals.pop());
    let withdrawal = poll_until("the withdrawal", Duration::from_secs(60), withdrawal).await.unwrap();
    assert!(withdrawal.reason.ends_with("it was asked for the backup 1009 and answered for 1010"));
}

#[tokio::test]
async fn a_backup_ends_complete_though_its_policy_was_replaced_and_then_traps() {
    let house = taken_in(Plan::default()).await;
    assert_eq!(house.create(ids::TRAP_IN_THE_GAP).await.0, StatusCode::ACCEPTED);
    assert_eq!(house.offer(&LATER).await.unwrap(), 3);
    ends_complete(&house, ids::TRAP_IN_THE_GAP).await;
    // It goes on with the one that serves, and there is no way back to the one that failed.
    assert_eq!(house.policies().serving().number, 3);
    assert_eq!(house.policies().incumbents().withdrawals[0].digest, Digest::of(&HOSTILE));
    assert!(house.policies().previous().is_none());
}
