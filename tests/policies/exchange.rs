//! Exchanges while there is work.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fixtures::{self, HOSTILE, LATER};
use crate::house::{House, Plan};
use crate::ids;

/// Two policies that write their mark into several places of each answer. No request fails meanwhile, and none has an
/// answer of both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_wholly_one_policys() {
    const EXCHANGES: usize = 100;
    let house = Arc::new(House::build(Plan { repository: ids::MARKS, ..Plan::default() }));
    house.offer(&HOSTILE).await.unwrap();
    house.offer(&fixtures::hostile_marked_b()).await.unwrap();
    let (answered, done) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let callers =
        (1..=4).map(|id| tokio::spawn(collect_marks(id, Arc::clone(&house), Arc::clone(&answered), done.clone())));
    let callers: Vec<_> = callers.collect();
    for _ in 0..EXCHANGES {
        let before = answered.load(Ordering::Relaxed);
        house.policies().roll_back(None).unwrap();
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
    house: Arc<House>,
    answered: Arc<AtomicUsize>,
    done: CancellationToken,
) -> BTreeSet<char> {
    let (mut seen, path) = (BTreeSet::new(), format!("/actuator/backups/{id}"));
    while !done.is_cancelled() {
        let answers = [
            house.call("GET", "/actuator/backups").await,
            house.call("GET", &path).await,
            house.create(id).await,
            house.call("DELETE", &path).await,
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
    let house = House::new();
    let begun = house.policies().calls();
    let policy = Arc::downgrade(&house.policies().serving().admitted.policy);
    house.offer(&LATER).await.unwrap();
    house.policies().roll_back(None).unwrap();
    house.smuggle_in(&LATER);
    house.smuggle_in(&fixtures::policy(fixtures::TRAP));
    assert!(begun.list(Vec::new()).await.is_ok());
    assert!(policy.upgrade().is_some());
    drop(begun);
    assert!(policy.upgrade().is_none());
}

#[tokio::test]
async fn a_backup_ends_on_the_generation_that_it_began_with() {
    let house = House::new();
    let first = house.policies().serving();
    assert_eq!(house.create(42).await.0, StatusCode::ACCEPTED);
    house.offer(&LATER).await.unwrap();
    let calls = first.calls();
    let complete = async {
        loop {
            house.finish_snapshots();
            let (_, backup) = house.call("GET", "/actuator/backups/42").await;
            if backup["state"] == json!("COMPLETE") {
                break backup;
            }
            assert_eq!(backup["state"], json!("IN_PROGRESS"), "{backup}");
            tokio::task::yield_now().await;
        }
    };
    let backup = tokio::time::timeout(Duration::from_secs(60), complete).await.unwrap();
    assert_eq!(backup["details"].as_array().unwrap().len(), 2);
    assert!(first.calls() > calls, "the run went on with the first generation");
}
