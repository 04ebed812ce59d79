//! A defect of the host itself must not leave a backup behind that counts as driven or as being deleted for ever.

use futures::future::join_all;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_run_that_a_panic_ends_is_resumed() {
    let (cluster, host) = set_up();
    host.adopt_forever();
    host.service.create("1").await.unwrap();
    host.network.fail("GET camunda_optimize_1_", 1, Fault::Panic);

    host.at(29).await;
    assert_eq!((host.service.runs.driven(), host.metric("runs_active")), (BTreeMap::new(), 0.0));
    host.at(60).await;

    assert_eq!(host.state(1).await, BackupState::Complete);
    assert_eq!((cluster.snapshots(), host.metric("runs_active")), (vec![part(1, 1), part(1, 2)], 0.0));
}

/// The caller's answer names a defect of the host; another caller who waits for the same deletion submits it anew.
#[tokio::test(start_paused = true)]
async fn a_deletion_that_a_panic_ends_before_the_204_can_be_repeated() {
    let (cluster, host) = set_up();
    host.complete(1).await;
    host.network.fail("GET camunda_optimize_1_", 1, Fault::Panic);

    let ask = |_| {
        let service = Arc::clone(&host.service);
        tokio::spawn(async move { service.delete("1").await })
    };
    let answers = timeout(CALL, join_all((0..2).map(ask))).await.expect("both are answered");
    let [first, second] = answers.try_into().unwrap();

    assert!(first.unwrap_err().is_panic(), "the router makes an internalError of it");
    second.unwrap().unwrap();
    assert!(cluster.snapshots().is_empty());
    host.service.create("1").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_a_panic_ends_after_the_204_is_told_as_failed() {
    let (_, host) = set_up();
    host.complete(1).await;
    host.network.fail("DELETE", 1, Fault::Lost);
    host.service.delete("1").await.unwrap();
    host.network.fail("GET camunda_optimize_1_", 1, Fault::Panic);

    sleep(Duration::from_secs(60)).await;
    assert_eq!(host.pending(), Vec::<String>::new());
    assert!(host.failed()["1"].contains("a defect of this server"), "{:?}", host.failed());
    assert_eq!(
        (host.metric("deletions_pending"), host.metric("deletions_ended_total{outcome=\"failed\"}")),
        (0.0, 1.0)
    );
    host.service.delete("1").await.unwrap();
    assert!(host.is_gone(1).await);
}
