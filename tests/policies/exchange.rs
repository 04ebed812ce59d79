//! Exchanges while there is work.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::json;

use crate::fixtures::LATER;
use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_policies_are_exchanged() {
    const EXCHANGES: usize = 100;
    let house = Arc::new(House::new());
    house.offer(&LATER).await.unwrap();
    let callers = (0..4).map(|_| tokio::spawn(call_until(Arc::clone(&house), EXCHANGES + 2)));
    let callers: Vec<_> = callers.collect();
    for _ in 0..EXCHANGES {
        house.policies().roll_back().unwrap();
        tokio::task::yield_now().await;
    }
    for answered in join_all(callers).await {
        assert!(answered.unwrap() > 0);
    }
}

/// Sends mixed requests until this generation serves; how many were answered.
async fn call_until(house: Arc<House>, generation: usize) -> u64 {
    let mut answered = 0;
    while house.policies().serving().number < generation as u64 {
        house.expect_service().await;
        answered += 1;
    }
    house.expect_service().await;
    answered + 1
}

#[tokio::test]
async fn a_generation_lives_as_long_as_its_last_call() {
    let house = House::new();
    let begun = house.policies().operations();
    let policy = Arc::downgrade(&house.policies().serving().admitted.policy);
    house.offer(&LATER).await.unwrap();
    house.policies().roll_back().unwrap();
    house.smuggle_in(&LATER);
    house.smuggle_in(&LATER);
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
