//! More callers than the sandbox has permits.

use tokio_util::task::AbortOnDropHandle;

use super::engine::SNAPSHOT;
use super::*;
use crate::sandbox::types::ListQuery;

const OF_ALL: &str = "GET camunda_optimize_*";

#[tokio::test(start_paused = true)]
async fn a_backup_ends_in_time_while_64_callers_list_a_slow_engine() {
    let (cluster, host) = set_up();
    host.complete(1).await;
    host.network.fail(OF_ALL, usize::MAX, Fault::Slow(Duration::from_secs(20)));
    let _callers: Vec<_> = (0..64)
        .map(|_| {
            let service = Arc::clone(&host.service);
            AbortOnDropHandle::new(tokio::spawn(async move {
                loop {
                    drop(service.list(ListQuery::default()).await);
                }
            }))
        })
        .collect();
    sleep(Duration::from_secs(60)).await;

    let begin = Instant::now();
    host.service.create("2").await.unwrap();
    host.run_ended().await;
    assert!(begin.elapsed() < SNAPSHOT * 3, "{:?}", begin.elapsed());
    assert_eq!(host.state(2).await, BackupState::Complete);
    host.service.delete("1").await.unwrap();
    assert_eq!(cluster.snapshots(), [part(2, 1), part(2, 2)]);
    assert_eq!(host.metric("run_retries_total"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_room_is_told_so_soon() {
    let (_, host) = set_up();
    host.network.fail(OF_ALL, usize::MAX, Fault::Slow(Duration::from_secs(20)));
    let began = Instant::now();
    let lists = (0..3).map(|_| async { (host.service.list(ListQuery::default()).await.map(drop), began.elapsed()) });
    let outcomes = futures::future::join_all(lists).await;
    let busy: Vec<_> = outcomes.iter().filter(|(outcome, _)| matches!(outcome, Err(CallError::Busy))).collect();
    assert_eq!(busy.len(), 1, "{outcomes:?}");
    assert_eq!(busy[0].1.as_secs(), 2);
    // Nobody is at fault.
    let serving = host.service.policies.serving();
    assert_eq!((serving.calls(), serving.failures()), (2, 0));
}
