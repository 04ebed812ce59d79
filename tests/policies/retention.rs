//! What expires by the word of a policy that means no good: the host holds it against the contract, and then looks itself.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use backup_core::memory::StoredSnapshot;
use backup_core::{RetentionRules, SnapshotState, Timestamp};
use backup_test_hosts::policies::ids;
use backup_test_hosts::{Options, TestHost};
use backup_test_support::poll_until;
use serde_json::{Value, json};

use crate::hostile::taken_in;
use crate::options;

/// A host with the hostile policy and rules by which one complete backup stays; in the repository two good backups, an older
/// one of other software, and one in progress.
async fn host_of(repository: &'static str) -> Arc<TestHost> {
    let rules = RetentionRules::new(None, None, NonZeroU32::new(1)).unwrap();
    let host = taken_in(Options { repository, rules, ..options() }).await;
    for (id, state, is_ours) in [
        (1, SnapshotState::Success, false),
        (2, SnapshotState::Success, true),
        (3, SnapshotState::Success, true),
        (4, SnapshotState::InProgress, true),
    ] {
        store(&host, repository, id, state, is_ours);
    }
    host
}

fn store(host: &TestHost, repository: &str, id: u64, state: SnapshotState, is_ours: bool) {
    for part in 1..=2 {
        let started = Timestamp(host.engine.now().0 - (10 - id) * 60_000 + part);
        let origin = json!({"optimizeBackup": {
            "runId": format!("run-of-{id}"), "part": part, "parts": 2, "host": "h", "indexPrefix": "optimize", "policy": "1",
        }});
        let snapshot = StoredSnapshot {
            indices: vec!["optimize-settings_v3".to_owned()],
            ended: (state == SnapshotState::Success).then_some(started),
            metadata: is_ours.then_some(origin),
            ..StoredSnapshot::new(&format!("camunda_optimize_{id}_8.6.0_part_{part}_of_2"), state, started)
        };
        host.engine.store(repository, snapshot);
    }
}

fn count(host: &TestHost, repository: &str) -> usize {
    host.engine.snapshots(repository).len()
}

#[tokio::test]
async fn what_lets_the_wrong_backup_expire_is_refused_as_a_whole() {
    for (repository, reason) in [
        (ids::EXPIRES_NEWEST, "it lets the backup 3 expire, which is the newest that is COMPLETE"),
        (ids::EXPIRES_RUNNING, "it lets the backup 4 expire, which is in progress"),
        (ids::EXPIRES_FOREIGN, "it lets the backup 1 expire, which is not known to be of this installation"),
        (ids::EXPIRES_INVENTED, "it lets the backup 4711 expire, which is not among those that could expire"),
    ] {
        let host = host_of(repository).await;
        for dry_run in [true, false] {
            let (status, body) = host.expire(dry_run).await;
            assert_eq!((status, &body["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("policyFailed")));
            assert!(body["errorMessage"].as_str().unwrap().contains(reason), "{body}");
        }
        assert_eq!(count(&host, repository), 8);
    }
}

#[tokio::test]
async fn what_lies_in_its_lists_does_not_get_anothers_backup_deleted() {
    let host = host_of(ids::LIES_IN_LISTS).await;
    let retention = Arc::clone(&host.retention);
    let background = tokio::spawn(async move { retention.run_forever().await });
    let (status, body) = host.expire(false).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(body["expired"], json!([{"backupId": 1, "reason": "it is in the way"}]));
    poll_until("the look of the host", Duration::from_secs(30), async || {
        let text = host.text("/actuator/prometheus").await;
        Ok(text.contains("optimize_backup_expired_total{outcome=\"failed\"} 1").then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(count(&host, ids::LIES_IN_LISTS), 8);
    background.abort();
}

#[tokio::test]
async fn what_the_rules_say_is_told_and_done() {
    let host = host_of("backups").await;
    let expired = json!([{"backupId": 2, "reason": "1 newer backups are COMPLETE, as many as are to be kept"}]);
    let rules = json!({"expireAfter": null, "minCount": null, "maxCount": 1});
    let body = |dry_run| json!({"dryRun": dry_run, "rules": rules, "suspended": null, "expired": expired});
    assert_eq!(host.expire(true).await, (StatusCode::OK, body(true)));
    let retention = Arc::clone(&host.retention);
    let background = tokio::spawn(async move { retention.run_forever().await });
    assert_eq!(host.expire(false).await, (StatusCode::ACCEPTED, body(false)));
    poll_until("the deletion", Duration::from_secs(30), async || Ok((count(&host, "backups") == 6).then_some(())))
        .await
        .unwrap();
    background.abort();

    let (status, body) = host.call("GET", "/actuator/schedule").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&body["cron"], &body["nextSlot"], &body["lastSlots"]), (&Value::Null, &Value::Null, &json!([])));
    assert_eq!(body["retention"], rules);
}

#[tokio::test]
async fn without_a_token_nobody_deletes_what_expires() {
    let host = TestHost::new(Options { no_token: true, ..options() });
    let (status, body) = host.expire(true).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::FORBIDDEN, &json!("operationNotEnabled")), "{body}");
}
