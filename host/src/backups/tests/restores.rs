use std::collections::BTreeMap;

use backup_core::memory::StoredIndex;
use serde_json::json;

use super::engine::SETTINGS;
use super::*;
use crate::sandbox::restores::{Restore, RestoreOptions, RestoreState, RestoredIndexState};

const ID: BackupId = 7;
/// How long the engine takes to restore an index.
const RESTORING: Duration = Duration::from_secs(2);
const PARTS: [&str; 2] = ["_part_1_of_2/_restore", "_part_2_of_2/_restore"];
const HOUR: Duration = Duration::from_secs(3600);

fn options() -> RestoreOptions {
    RestoreOptions { rename_prefix: None, overridden: Vec::new() }
}

/// Two hosts of one installation, which has a backup.
async fn with_backup() -> (Arc<Cluster>, TestHost, TestHost) {
    let (cluster, host) = set_up();
    host.complete(ID).await;
    cluster.engine.restore_within(RESTORING);
    let other = TestHost::new(&cluster);
    (cluster, host, other)
}

impl TestHost {
    async fn begin_restore(&self) -> Result<(), CallError> {
        self.service.begin_restore(&ID.to_string(), options()).await
    }

    async fn restore(&self) -> Restore {
        self.service.restores.get(&ID.to_string(), None).await.unwrap()
    }

    /// Waits until this host drives no restore any more.
    async fn restore_ended(&self) -> Restore {
        let ended = async {
            while self.service.restores.driven().is_some() {
                sleep(Duration::from_millis(500)).await;
            }
        };
        timeout(24 * HOUR, ended).await.expect("the restore ends");
        self.restore().await
    }
}

#[tokio::test(start_paused = true)]
async fn another_server_knows_of_it_as_soon_as_it_is_accepted() {
    let (_cluster, host, other) = with_backup().await;
    host.begin_restore().await.unwrap();
    assert_eq!(host.restore_ended().await.state, RestoreState::Complete);

    host.begin_restore().await.unwrap();
    assert_eq!(other.restore().await.state, RestoreState::InProgress, "and not COMPLETE by the earlier one");
    assert_eq!(code(other.service.create("8").await), "restoreInProgress");
    assert_eq!(code(other.service.delete(&ID.to_string()).await), "restoreInProgress");
    assert_eq!(host.restore_ended().await.state, RestoreState::Complete);
    other.complete(8).await;
    other.service.delete(&ID.to_string()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_plans_while_another_one_ends_replaces_nothing() {
    // Its first look is at what is to be replaced, or at what is restored already.
    for (restoring, later, expected) in [(2, 0, "restoreBlocked"), (20, 35, "restoreInProgress")] {
        let (cluster, host, other) = with_backup().await;
        cluster.engine.restore_within(Duration::from_secs(restoring));
        host.begin_restore().await.unwrap();
        sleep(Duration::from_secs(later)).await;
        assert_eq!(code(other.begin_restore().await), expected);
        assert_eq!(host.service.restores.driven(), None);
        let restored = cluster.engine.indices();
        assert_eq!(host.restore().await.state, RestoreState::Complete);
        sleep(HOUR).await;
        assert_eq!(cluster.engine.indices(), restored);
        other.begin_restore().await.unwrap();
        assert_eq!(other.restore_ended().await.state, RestoreState::Complete);
    }
}

#[tokio::test(start_paused = true)]
async fn while_it_is_planned_nothing_is_told_of_an_earlier_one() {
    let (_cluster, host, _) = with_backup().await;
    host.begin_restore().await.unwrap();
    assert_eq!(host.restore_ended().await.state, RestoreState::Complete);

    let look = async {
        sleep(Duration::from_secs(5)).await;
        host.restore().await
    };
    let (begun, told) = tokio::join!(host.begin_restore(), look);
    begun.unwrap();
    assert_eq!((told.state, told.bytes.map(|bytes| bytes.done)), (RestoreState::InProgress, Some(0)));
    assert!(told.indices.iter().all(|index| index.state == RestoredIndexState::Other), "{told:?}");
    assert_eq!(host.restore_ended().await.state, RestoreState::Complete);
}

#[tokio::test(start_paused = true)]
async fn retention_on_another_server_keeps_it() {
    let (_cluster, host, other) = with_backup().await;
    host.complete(8).await;
    host.begin_restore().await.unwrap();
    let rules = backup_core::RetentionRules::new(None, None, std::num::NonZeroU32::new(1)).unwrap();
    let retention = Retention::new(Arc::clone(&other.service), rules, Arc::clone(&other.metrics));
    assert_eq!(retention.plan().await.unwrap().expired.len(), 0);
    host.restore_ended().await;
    assert_eq!(retention.plan().await.unwrap().expired.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_waited_for_and_what_lasts_ends_it() {
    let (_cluster, host, _other) = with_backup().await;
    let busy = Fault::refusal(Duration::ZERO, 503, "master_not_discovered_exception", "no master");
    host.network.fail(PARTS[0], 400, busy);
    let begun = Instant::now();
    host.begin_restore().await.unwrap();
    let restore = host.restore_ended().await;
    assert_eq!(restore.state, RestoreState::Complete, "{restore:?}");
    assert!(begun.elapsed() > Duration::from_secs(1200), "{:?}", begun.elapsed());

    let denied = Fault::refusal(Duration::ZERO, 403, "security_exception", "action is unauthorized");
    host.network.fail(PARTS[1], usize::MAX, denied);
    host.begin_restore().await.unwrap();
    let begun = Instant::now();
    let restore = host.restore_ended().await;
    assert!((600..700).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(restore.state, RestoreState::Failed);
    let reason = restore.failure_reason.unwrap();
    assert!(reason.contains("check the credentials") && reason.contains("action is unauthorized"), "{reason}");
    assert!(restore.next_step.unwrap().contains("do not start Optimize"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_until_another_server_has_restored_the_backup() {
    let (_cluster, host, other) = with_backup().await;
    let refused = Fault::refusal(Duration::ZERO, 400, "illegal_argument_exception", "too many shards");
    // The first of these requests only tries whether it may restore, and whatever else is wrong is told by the second.
    host.network.fail(PARTS[1], 2, refused);
    host.begin_restore().await.unwrap();
    assert_eq!(host.restore_ended().await.state, RestoreState::Failed);
    other.begin_restore().await.unwrap();
    assert_eq!(other.restore_ended().await.state, RestoreState::Complete);
    assert_eq!(host.restore().await.state, RestoreState::Complete);
}

#[tokio::test(start_paused = true)]
async fn a_failure_before_anything_was_changed_is_not_hidden_by_an_earlier_restore() {
    let (_cluster, host, other) = with_backup().await;
    host.begin_restore().await.unwrap();
    assert_eq!(host.restore_ended().await.state, RestoreState::Complete);
    let refused = Fault::refusal(Duration::ZERO, 400, "illegal_argument_exception", "no such setting");
    host.network.fail("PUT _settings", 1, refused);
    host.begin_restore().await.unwrap();
    let failed = host.restore_ended().await;
    assert_eq!(failed.state, RestoreState::Failed);
    assert_eq!(other.restore().await.state, RestoreState::Complete, "nothing was changed");
    assert_eq!(host.restore().await.state, RestoreState::Failed);
    other.begin_restore().await.unwrap();
    assert_eq!(host.restore().await.state, RestoreState::Failed);
    other.restore_ended().await;
    assert_eq!(host.restore().await.state, RestoreState::Complete);
}

#[tokio::test(start_paused = true)]
async fn a_500_that_lasts_for_ten_minutes_ends_it() {
    let (_cluster, host, _other) = with_backup().await;
    let refused = Fault::refusal(Duration::ZERO, 500, "repository_exception", "access denied");
    host.network.fail(PARTS[1], usize::MAX, refused);
    host.begin_restore().await.unwrap();
    let begun = Instant::now();
    let restore = host.restore_ended().await;
    assert!((600..700).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(restore.state, RestoreState::Failed);
    assert!(restore.failure_reason.unwrap().contains("access denied"));
}

#[tokio::test(start_paused = true)]
async fn a_complete_restore_is_told_after_the_engine_has_forgotten_it() {
    let (cluster, host, other) = with_backup().await;
    host.begin_restore().await.unwrap();
    assert_eq!(host.restore_ended().await.state, RestoreState::Complete);
    cluster.engine.restart();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(other.restore().await.state, RestoreState::None);
    assert_eq!(host.restore().await.state, RestoreState::Complete);
    cluster.engine.remove_index(SETTINGS);
    assert_eq!(host.restore().await.state, RestoreState::None);
}

fn contents(cluster: &Cluster) -> BTreeMap<String, StoredIndex> {
    cluster.engine.indices().into_iter().map(|(name, (_, stored))| (name, stored)).collect()
}

/// From each of its requests on, the first of its plan and the last included; `true` if there are so many.
async fn is_restored_though_the_engine_is_away_from(first: usize) -> bool {
    const AWAY: Duration = Duration::from_secs(30);
    const LONGEST: Duration = Duration::from_secs(600);
    let (cluster, host) = set_up();
    cluster.engine.set_document(SETTINGS, Some(json!({"of": "the backup"})));
    host.complete(ID).await;
    cluster.engine.restore_within(RESTORING);
    let before = contents(&cluster);
    cluster.engine.set_document(SETTINGS, Some(json!({"of": "later"})));
    let answered = cluster.requests().len() + first - 1;
    let begun = Instant::now();
    host.network.fail_from(first, "", usize::MAX, Fault::Away);
    let outage = async {
        while cluster.requests().len() < answered && begun.elapsed() < LONGEST {
            sleep(Duration::from_millis(100)).await;
        }
        let is_reached = begun.elapsed() < LONGEST;
        sleep(AWAY).await;
        host.network.heal();
        is_reached
    };
    let overridden = RestoreOptions { overridden: vec!["optimizeIsWriting".to_owned()], ..options() };
    let begin = async || host.service.begin_restore(&ID.to_string(), overridden.clone()).await;
    let (outcome, is_reached) = tokio::join!(begin(), outage);
    if outcome.is_err() {
        assert_ne!(contents(&cluster), before, "request {first}");
        begin().await.unwrap();
    }
    let restore = host.restore_ended().await;
    assert_eq!(restore.state, RestoreState::Complete, "request {first}: {restore:?}");
    assert_eq!(contents(&cluster), before, "request {first}");
    assert!(cluster.engine.marked_indices().is_empty(), "request {first}");
    is_reached
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_for_30_s_delays_a_restore() {
    let mut first = 1;
    while is_restored_though_the_engine_is_away_from(first).await {
        first += 1;
    }
    assert!(first > 50, "there are only {first} requests");
}
