//! Policies that are exchanged while requests are under way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use backup_test_hosts::policies::ids;
use backup_test_hosts::{Options, TestHost};
use futures::future::join_all;
use optimize_backup::sandbox::types::ListQuery;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fixtures::{self, HOSTILE, LATER};
use crate::{options, test_host};

/// Two policies write their mark into several places of each answer. No request fails while they are exchanged, and no
/// answer has the marks of both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_wholly_one_policys() {
    const EXCHANGES: usize = 100;
    let host = Arc::new(TestHost::new(Options { repository: ids::MARKS, ..options() }));
    host.offer(&HOSTILE).await.unwrap();
    host.offer(&fixtures::hostile_marked_b()).await.unwrap();
    let (answered, done) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let callers =
        (1..=4).map(|id| tokio::spawn(collect_marks(id, Arc::clone(&host), Arc::clone(&answered), done.clone())));
    let callers: Vec<_> = callers.collect();
    for _ in 0..EXCHANGES {
        let before = answered.load(Ordering::Relaxed);
        host.policies().roll_back(None).unwrap();
        while answered.load(Ordering::Relaxed) < before + callers.len() {
            tokio::task::yield_now().await;
        }
    }
    done.cancel();
    let marks: BTreeSet<char> = join_all(callers).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(marks, BTreeSet::from(['a', 'b']), "both have answered");
}

/// Sends mixed requests for a backup of its own; which marks the answers had, each only one.
async fn collect_marks(
    id: u64,
    host: Arc<TestHost>,
    answered: Arc<AtomicUsize>,
    done: CancellationToken,
) -> BTreeSet<char> {
    let (mut seen, path) = (BTreeSet::new(), format!("/actuator/backups/{id}"));
    while !done.is_cancelled() {
        let answers = [
            host.call("GET", "/actuator/backups").await,
            host.call("GET", &path).await,
            host.create(id).await,
            host.call("DELETE", &path).await,
        ];
        for (status, body) in answers {
            assert!(matches!(status, StatusCode::OK | StatusCode::CONFLICT), "{status} {body}");
            let text = body.to_string();
            let marks: Vec<char> =
                text.split("mark-of-the-policy-").skip(1).filter_map(|rest| rest.chars().next()).collect();
            assert!(marks.len() >= 3 && marks.iter().all(|mark| *mark == marks[0]), "{text}");
            seen.insert(marks[0]);
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
    seen
}

#[tokio::test]
async fn a_generation_lives_as_long_as_its_last_call() {
    let host = test_host();
    let begun = host.policies().calls();
    let policy = Arc::downgrade(&host.policies().serving().admitted.policy);
    host.offer(&LATER).await.unwrap();
    host.policies().roll_back(None).unwrap();
    host.serve_unchecked(&LATER);
    host.serve_unchecked(&fixtures::policy(fixtures::TRAP));
    assert!(begun.list(&ListQuery::default(), Vec::new()).await.is_ok());
    assert!(policy.upgrade().is_some());
    drop(begun);
    assert!(policy.upgrade().is_none());
}

#[tokio::test]
async fn a_backup_ends_on_the_generation_that_it_began_with() {
    let host = test_host();
    let first = host.policies().serving();
    assert_eq!(host.create(42).await.0, StatusCode::ACCEPTED);
    host.offer(&LATER).await.unwrap();
    let calls = first.calls();
    let complete = async {
        loop {
            host.finish_snapshots();
            let (_, backup) = host.call("GET", "/actuator/backups/42").await;
            if backup["state"] == json!("COMPLETE") {
                break backup;
            }
            assert_eq!(backup["state"], json!("IN_PROGRESS"), "{backup}");
            tokio::task::yield_now().await;
        }
    };
    let backup = tokio::time::timeout(Duration::from_secs(60), complete).await.unwrap();
    assert_eq!(backup["details"].as_array().unwrap().len(), 2);
    assert!(first.calls() > calls, "the run continued with the first generation");
}
