//! A part that the engine accepts and then has no trace of, as it does when its nodes cannot write to the repository.

use super::engine::SNAPSHOT;
use super::*;

const PART_TWO: &str = "PUT part_2_of_2";
const FAILED: &str = "runs_ended_total{state=\"failed\"}";
const INCOMPLETE: &str = "runs_ended_total{state=\"incomplete\"}";

/// A host whose backup 1 was dropped, and the engine.
async fn dropped() -> (Arc<Cluster>, TestHost) {
    let (cluster, host) = set_up();
    host.service.create("1").await.unwrap();
    cluster.delete(&part(1, 1));
    host.run_ended().await;
    (cluster, host)
}

async fn ids(host: &TestHost) -> Vec<BackupId> {
    host.service.list(ListQuery::default()).await.unwrap().backups.into_iter().map(|backup| backup.backup_id).collect()
}

#[tokio::test(start_paused = true)]
async fn a_dropped_part_1_is_told_and_counted() {
    let (cluster, host) = dropped().await;

    let backup = host.service.get("1").await.unwrap();
    assert_eq!((backup.state, backup.details.len(), backup.run_id), (BackupState::Failed, 0, None));
    let reason = backup.failure_reason.unwrap();
    assert!(reason.contains("accepted part 1 of 2 and has no trace of it"), "{reason}");
    assert_eq!(ids(&host).await, [1]);
    assert_eq!((host.metric(FAILED), host.metric("runs_active")), (1.0, 0.0));
    assert_eq!(host.service.runs.dropped(), BTreeMap::from([(1, reason)]));

    let neighbour = TestHost::new(&cluster);
    assert!(neighbour.is_gone(1).await, "another host cannot know of it");
}

#[tokio::test(start_paused = true)]
async fn until_it_is_deleted() {
    let (_, host) = dropped().await;
    host.service.delete("1").await.unwrap();
    assert!(host.is_gone(1).await);
    assert_eq!((ids(&host).await, host.service.runs.dropped()), (vec![], BTreeMap::new()));
}

#[tokio::test(start_paused = true)]
async fn until_its_id_is_used_again() {
    let (_, host) = dropped().await;
    host.complete(1).await;
    assert_eq!(host.service.runs.dropped(), BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn until_another_host_uses_its_id() {
    let (cluster, host) = dropped().await;
    let neighbour = TestHost::new(&cluster);
    neighbour.complete(1).await;
    assert_eq!(host.state(1).await, BackupState::Complete);
    neighbour.service.delete("1").await.unwrap();
    assert!(host.is_gone(1).await);
}

/// A deletion stops the run first.
#[tokio::test(start_paused = true)]
async fn what_is_deleted_here_while_it_is_being_made_was_not_dropped() {
    let (_, host) = set_up();
    host.service.create("1").await.unwrap();
    host.service.delete("1").await.unwrap();
    host.at(120).await;
    assert!(host.is_gone(1).await);
    assert_eq!((host.metric(FAILED), host.service.runs.dropped()), (0.0, BTreeMap::new()));
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_elsewhere_after_part_1_was_not_dropped() {
    let (cluster, host) = set_up();
    host.service.create("1").await.unwrap();
    host.at(SNAPSHOT.as_secs() + 2).await;
    assert_eq!(cluster.snapshots(), [part(1, 1), part(1, 2)]);
    cluster.delete(&part(1, 2));
    cluster.delete(&part(1, 1));
    host.run_ended().await;
    assert!(host.is_gone(1).await);
    assert_eq!(host.metric(FAILED), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_part_2_that_is_dropped_once_is_made_again() {
    let (cluster, host) = set_up();
    host.service.create("1").await.unwrap();
    host.at(SNAPSHOT.as_secs() + 2).await;
    cluster.delete(&part(1, 2));
    host.run_ended().await;
    assert_eq!(host.state(1).await, BackupState::Complete);
    assert_eq!((host.times(PART_TWO, host.begin).len(), host.metric("run_retries_total")), (2, 1.0));
}

#[tokio::test(start_paused = true)]
async fn a_part_2_that_is_always_dropped_ends_with_the_window() {
    let (_, host) = set_up();
    // The engine's answer is that it accepts.
    let body = r#"{"accepted":true}"#.to_owned();
    let accepted = crate::elasticsearch::Response { status: 200, retry_after: None, body };
    host.network.fail(PART_TWO, usize::MAX, Fault::Answer(Duration::ZERO, accepted));
    host.service.create("1").await.unwrap();
    host.at(60).await;
    let trouble = host.service.runs.driven()[&1].clone();
    host.run_ended().await;

    let reason = host.reason(1).await;
    assert_eq!(host.state(1).await, BackupState::Incomplete);
    assert!(reason.contains("accepted part 2 of 2 and has no trace of it"), "{reason}");
    assert!(trouble.is_none_or(|trouble| trouble.contains("has no trace of it")));
    let attempts = host.times(PART_TWO, host.begin);
    assert!((10..60).contains(&attempts.len()), "{attempts:?}");
    assert!(*attempts.last().unwrap() <= 610, "{attempts:?}");
    assert_eq!((host.metric(INCOMPLETE), host.metric(FAILED)), (1.0, 0.0));
}
