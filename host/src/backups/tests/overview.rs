//! What the metrics tell of the repository.

use backup_core::SnapshotState;
use backup_core::memory::Damage;

use super::*;

impl TestHost {
    fn in_state(&self, state: &str) -> f64 {
        self.metric(&format!("backups{{state=\"{state}\"}}"))
    }

    fn last_success(&self) -> f64 {
        self.metric("last_success_timestamp_seconds")
    }
}

/// When the snapshot ended, as the metric tells it.
fn end_of(cluster: &Cluster, name: &str) -> f64 {
    let snapshots = cluster.engine.snapshots(REPOSITORY);
    let snapshot = snapshots.into_iter().find(|snapshot| snapshot.name == name).unwrap();
    snapshot.ended.unwrap().0 as f64 / 1000.0
}

/// A backup whose part 1 fails.
async fn fail(cluster: &Cluster, host: &TestHost, id: BackupId) {
    host.service.create(&id.to_string()).await.unwrap();
    cluster.engine.finish(&part(id, 1), SnapshotState::Failed);
    host.run_ended().await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_starts_knows_the_last_backup() {
    let (cluster, other) = set_up();
    other.complete(1).await;
    other.complete(2).await;
    let host = TestHost::new(&cluster);
    assert_eq!((host.last_success(), host.metric("repository_read_timestamp_seconds")), (0.0, 0.0));
    host.adopt_forever();
    host.at(100).await;

    assert_eq!(host.last_success(), end_of(&cluster, &part(2, 2)));
    let took = host.metric("last_success_duration_seconds");
    assert!((6.0..7.0).contains(&took), "{took}");
    let indices: usize = cluster.engine.snapshots(REPOSITORY).iter().map(|snapshot| snapshot.indices.len()).sum();
    assert_eq!(host.metric("last_success_indices"), indices as f64 / 2.0);
    assert_eq!((host.in_state("complete"), host.in_state("failed")), (2.0, 0.0));
    assert!(host.metric("repository_read_timestamp_seconds") > host.last_success());
    // The newest is read once, and the others are not read at all.
    assert_eq!(host.times("GET camunda_optimize_2_*", host.begin), [0]);
    assert!(host.times("GET camunda_optimize_1_", host.begin).is_empty());
}

/// IDs of another length are made by another rule: seconds since 1970 after dates, or the other way round.
#[tokio::test(start_paused = true)]
async fn a_host_that_starts_knows_the_last_one_though_its_id_is_shorter() {
    let (cluster, other) = set_up();
    for id in [20_261_127_120_000, 1_795_000_000, 1_795_003_600] {
        other.complete(id).await;
    }
    let host = TestHost::new(&cluster);
    host.adopt_forever();
    host.at(100).await;
    assert_eq!(host.last_success(), end_of(&cluster, &part(1_795_003_600, 2)));
    assert!(host.times("GET camunda_optimize_1795000000_", host.begin).is_empty());
}

/// Only some are read at a look.
#[tokio::test(start_paused = true)]
async fn the_last_one_is_found_behind_those_of_a_neighbour() {
    let (cluster, own) = set_up();
    own.complete(20_261_127_000_001).await;
    own.complete(1_795_003_600).await;
    for id in 20_261_127_000_010..20_261_127_000_022 {
        own.complete(id).await;
        for number in [1, 2] {
            cluster.engine.change_snapshot(&part(id, number), |snapshot| {
                let text = snapshot.metadata.as_ref().unwrap().to_string();
                let of_neighbour = text.replace("\"optimize\"", "\"optimize-team-b\"");
                assert_ne!(of_neighbour, text);
                snapshot.metadata = Some(serde_json::from_str(&of_neighbour).unwrap());
            });
        }
    }
    let host = TestHost::new(&cluster);
    host.adopt_forever();
    host.at(200).await;
    assert_eq!(host.last_success(), end_of(&cluster, &part(1_795_003_600, 2)));
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_ends_here_counts_at_once_and_elsewhere_with_the_next_look() {
    let (cluster, host) = set_up();
    let neighbour = TestHost::new(&cluster);
    host.adopt_forever();
    neighbour.adopt_forever();
    host.at(1).await;
    host.complete(7).await;
    host.at(10).await;

    let end = end_of(&cluster, &part(7, 2));
    assert_eq!((host.last_success(), neighbour.last_success()), (end, 0.0));
    host.at(31).await;
    assert_eq!((host.last_success(), neighbour.last_success()), (end, end));
    let took = host.metric("run_seconds_sum{state=\"complete\"}");
    assert!((6.0..8.0).contains(&took), "{took}");
}

/// IDs may begin anew: what counts is when it ended.
#[tokio::test(start_paused = true)]
async fn a_later_backup_with_a_smaller_id_is_the_last_one() {
    let (cluster, other) = set_up();
    other.complete(20).await;
    let host = TestHost::new(&cluster);
    host.adopt_forever();
    host.at(20).await;
    other.complete(3).await;
    host.at(62).await;
    assert_eq!(host.last_success(), end_of(&cluster, &part(3, 2)));
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_are_the_same_on_every_host() {
    let (cluster, host) = set_up();
    let neighbour = TestHost::new(&cluster);
    host.adopt_forever();
    host.complete(1).await;
    fail(&cluster, &host, 2).await;
    fail(&cluster, &host, 3).await;
    neighbour.adopt_forever();
    host.at(100).await;
    for host in [&host, &neighbour] {
        assert_eq!(host.metric("consecutive_failures"), 2.0);
        assert_eq!((host.in_state("complete"), host.in_state("failed")), (1.0, 2.0));
        assert_eq!(host.last_success(), end_of(&cluster, &part(1, 2)));
    }

    host.complete(4).await;
    host.at(200).await;
    for host in [&host, &neighbour] {
        assert_eq!(host.metric("consecutive_failures"), 0.0);
        assert_eq!(host.in_state("complete"), 2.0);
    }
}

#[tokio::test(start_paused = true)]
async fn another_installations_backups_are_no_success() {
    let (cluster, other) = set_up();
    other.complete(1).await;
    other.complete(2).await;
    let host = TestHost::of_installation(&cluster, "optimize-team-b");
    host.adopt_forever();
    host.at(100).await;
    assert_eq!((host.last_success(), host.in_state("complete")), (0.0, 0.0));
    // Each of them is read once.
    assert_eq!(host.times("GET camunda_optimize_1_", host.begin).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_deletion_the_one_before_is_the_last() {
    let (cluster, host) = set_up();
    host.adopt_forever();
    host.complete(1).await;
    host.complete(2).await;
    host.at(40).await;
    assert_eq!(host.last_success(), end_of(&cluster, &part(2, 2)));

    host.service.delete("2").await.unwrap();
    host.at(100).await;
    assert_eq!((host.last_success(), host.in_state("complete")), (end_of(&cluster, &part(1, 2)), 1.0));
    host.service.delete("1").await.unwrap();
    host.at(200).await;
    assert_eq!((host.last_success(), host.in_state("complete")), (0.0, 0.0));
}

/// The one before was read, or was not: there is one of each length.
#[tokio::test(start_paused = true)]
async fn after_two_deletions_the_one_that_ended_before_is_the_last() {
    let (cluster, other) = set_up();
    for id in [20_261_127, 1_795_000_000, 1_795_003_600] {
        other.complete(id).await;
    }
    let host = TestHost::new(&cluster);
    host.adopt_forever();
    host.at(100).await;
    for (deleted, last) in [("1795003600", 1_795_000_000), ("1795000000", 20_261_127)] {
        host.service.delete(deleted).await.unwrap();
        sleep(Duration::from_secs(100)).await;
        assert_eq!(host.last_success(), end_of(&cluster, &part(last, 2)));
    }
}

/// By names and states alone it is complete.
#[tokio::test(start_paused = true)]
async fn an_unreadable_backup_is_a_failure_until_it_can_be_read_again() {
    let (cluster, other) = set_up();
    other.complete(1).await;
    other.complete(2).await;
    cluster.engine.damage(&part(2, 1), Some(Damage::Missing));
    let host = TestHost::new(&cluster);
    host.adopt_forever();
    host.at(10).await;
    assert_eq!((host.metric("consecutive_failures"), host.in_state("failed")), (1.0, 1.0));
    assert_eq!(host.last_success(), end_of(&cluster, &part(1, 2)));

    cluster.engine.damage(&part(2, 1), None);
    host.at(40).await;
    assert_eq!((host.metric("consecutive_failures"), host.in_state("failed")), (0.0, 0.0));
    assert_eq!(host.last_success(), end_of(&cluster, &part(2, 2)));
}

#[tokio::test(start_paused = true)]
async fn the_age_of_the_oldest_run_grows_until_it_ends() {
    let (cluster, host) = set_up();
    cluster.engine.write_within(Duration::from_secs(4 * 60 * 60));
    host.service.create("1").await.unwrap();
    host.at(2 * 60 * 60).await;
    let age = host.service.runs.oldest_age().as_secs();
    assert!((7100..=7200).contains(&age), "{age}");
    cluster.engine.finish(&part(1, 1), SnapshotState::Failed);
    host.run_ended().await;
    assert_eq!(host.service.runs.oldest_age(), Duration::ZERO);
    assert_eq!(host.metric("run_seconds_count{state=\"failed\"}"), 1.0);
}
