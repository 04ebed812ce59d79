//! How much data there is counts against no policy; that a policy needs too much for little data does.

use axum::http::StatusCode;
use backup_core::SnapshotState;
use backup_core::memory::StoredSnapshot;
use backup_test_hosts::{MAX_FAILURES, Options, TestHost};
use backup_test_support::installation::part;
use optimize_backup::policy::Source;
use serde_json::json;

use crate::fixtures::{self, LATER};
use crate::options;

const BACKUPS: u64 = 2_000;
const MANY_CALLS: u32 = MAX_FAILURES * 2;

/// A host with two thousand backups, and a policy that replaced the first one.
fn host_of_many(options: Options, policy: &[u8]) -> TestHost {
    let host = TestHost::new(options);
    let now = host.engine.now();
    for (id, number) in (1..=BACKUPS).flat_map(|id| [(id, 1), (id, 2)]) {
        host.engine.store("backups", StoredSnapshot::new(&part(id, number), SnapshotState::Success, now));
    }
    host.serve_unchecked(policy);
    host
}

#[tokio::test]
async fn a_list_that_is_too_long_names_the_setting_and_counts_for_nobody() {
    let (mut memory, mut transfer) = (options(), options());
    memory.limits.memory = 1536 << 10;
    transfer.limits.transfer = 100 << 10;
    for (options, setting) in [(memory, "policy.maxMemoryBytes"), (transfer, "policy.maxTransferBytes")] {
        let host = host_of_many(options, &LATER);
        for _ in 0..MANY_CALLS {
            let (status, body) = host.call("GET", "/actuator/backups").await;
            let found = (status, &body["errorCode"]);
            assert_eq!(found, (StatusCode::INTERNAL_SERVER_ERROR, &json!("callLimitExceeded")), "{setting}");
            let message = body["errorMessage"].as_str().unwrap();
            assert!(message.contains(&format!("raise {setting}")) && !message.contains("fuel"), "{message}");
        }
        // Whoever asks for one is served.
        let (status, body) = host.call("GET", "/actuator/backups/7").await;
        assert_eq!((status, &body["state"]), (StatusCode::OK, &json!("COMPLETE")), "{setting}: {body}");
        let serving = host.policies().serving();
        assert_eq!((serving.number, serving.failures(), serving.calls()), (2, 0, 1), "{setting}");
    }
}

#[tokio::test]
async fn long_work_on_much_data_counts_for_nobody() {
    let host = host_of_many(options(), &fixtures::policy(fixtures::READ_ALL_AND_LOOP));
    for _ in 0..MAX_FAILURES + 1 {
        let (status, body) = host.call("GET", "/actuator/backups/7").await;
        let found = (status, &body["errorCode"]);
        assert_eq!(found, (StatusCode::INTERNAL_SERVER_ERROR, &json!("callLimitExceeded")), "{body}");
        assert!(body["errorMessage"].as_str().unwrap().contains("raise policy.cpuTime"), "{body}");
    }
    let serving = host.policies().serving();
    assert_eq!((serving.number, serving.failures()), (2, 0));
}

#[tokio::test]
async fn a_policy_that_needs_too_much_for_little_data_is_withdrawn() {
    for body in [fixtures::ENDLESS, fixtures::BOMB, fixtures::HUGE_LIST] {
        let host = host_of_many(options(), &fixtures::policy(body));
        for _ in 0..MAX_FAILURES {
            let (status, body) = host.call("GET", "/actuator/backups/7").await;
            assert_eq!((status, &body["errorCode"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("policyFailed")));
        }
        let serving = host.policies().serving();
        assert!(matches!(serving.admitted.source, Source::Return { generation: 1, .. }), "{}", serving.admitted.source);
        assert_eq!(host.call("GET", "/actuator/backups/7").await.0, StatusCode::OK);
    }
}
