use std::num::NonZeroU32;

use backup_core::RetentionRules;
use backup_core::memory::{Damage, StoredSnapshot};
use backup_core::{SnapshotState, Timestamp};
use serde_json::json;

use super::*;
use crate::clock::since_epoch;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn at_most(count: u32) -> RetentionRules {
    RetentionRules::new(None, None, NonZeroU32::new(count)).unwrap()
}

fn retention_of(host: &TestHost, rules: RetentionRules) -> Arc<Retention> {
    Retention::new(Arc::clone(&host.service), rules, Arc::clone(&host.metrics))
}

/// An engine with complete backups of this installation, one a day, the last one of today.
fn with_backups(ids: impl IntoIterator<Item = u64>) -> (Arc<Cluster>, TestHost) {
    let (cluster, host) = set_up();
    let ids: Vec<u64> = ids.into_iter().collect();
    let newest = ids.len() as u32;
    for (n, id) in (1..).zip(ids) {
        store(&cluster, id, since_epoch() - DAY * (newest - n) - Duration::from_secs(60), Some("optimize"));
    }
    (cluster, host)
}

/// Both parts of a backup. `None`: Optimize wrote it itself.
fn store(cluster: &Cluster, id: u64, began: Duration, prefix: Option<&str>) {
    for number in 1..=2 {
        let began = Timestamp(began.as_millis() as u64 + u64::from(number) * 1000);
        let origin = |prefix| {
            json!({"optimizeBackup": {
                "runId": format!("run-of-{id}"), "part": number, "parts": 2, "host": "h", "indexPrefix": prefix, "policy": "1",
            }})
        };
        let snapshot = StoredSnapshot {
            indices: vec!["optimize-settings_v3".to_owned()],
            ended: Some(began),
            metadata: prefix.map(origin),
            ..StoredSnapshot::new(&part(id, number), SnapshotState::Success, began)
        };
        cluster.engine.store(REPOSITORY, snapshot);
    }
}

fn ids(cluster: &Cluster) -> Vec<u64> {
    let ids = cluster.snapshots().into_iter().map(|name| name.split('_').nth(2).unwrap().parse().unwrap());
    ids.collect::<std::collections::BTreeSet<u64>>().into_iter().collect()
}

fn planned(plan: Plan) -> Vec<u64> {
    plan.expired.into_iter().map(|expired| expired.backup_id).collect()
}

#[tokio::test(start_paused = true)]
async fn the_oldest_go_first_and_a_plan_deletes_nothing() {
    let (cluster, host) = with_backups([5, 4, 3, 2, 1]);
    let retention = retention_of(&host, at_most(2));

    let plan = retention.plan().await.unwrap();
    assert_eq!(plan.expired[0].reason, "4 newer backups are COMPLETE, as many as are to be kept");
    assert_eq!(planned(plan), [5, 4, 3]);
    assert_eq!(ids(&cluster), [1, 2, 3, 4, 5]);

    retention.pass(None).await.unwrap();
    assert_eq!(ids(&cluster), [1, 2]);
    assert_eq!(host.metric("expired_total{outcome=\"ok\"}"), 3.0);
    assert_eq!(planned(retention.plan().await.unwrap()), [] as [u64; 0]);
}

#[tokio::test(start_paused = true)]
async fn without_rules_the_policy_is_not_even_asked() {
    let (cluster, host) = with_backups([1, 2]);
    retention_of(&host, RetentionRules::default()).pass(None).await.unwrap();
    assert_eq!(ids(&cluster), [1, 2]);
    assert_eq!(host.metric("policy_calls_total{operation=\"expire\",outcome=\"ok\"}"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn one_is_deleted_after_the_other() {
    let (cluster, host) = with_backups([1, 2, 3]);
    host.network.fail("DELETE", 2, Fault::Slow(Duration::from_secs(8)));
    let since = Instant::now();
    retention_of(&host, at_most(1)).pass(None).await.unwrap();
    assert_eq!(host.times("DELETE", since), [0, 8], "the second once the first has ended");
    assert_eq!(ids(&cluster), [3]);
}

#[tokio::test(start_paused = true)]
async fn one_that_the_engine_does_not_delete_keeps_no_other() {
    let (cluster, host) = with_backups([1, 2, 3]);
    host.network.fail("DELETE camunda_optimize_1_", 9, Fault::refusal(Duration::ZERO, 500, "snapshot_exception", "no"));
    retention_of(&host, at_most(1)).pass(None).await.unwrap();
    assert_eq!(ids(&cluster), [1, 3]);
    assert_eq!(host.metric("expired_total{outcome=\"failed\"}"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_and_what_not_is_told_of_those_that_are_meant() {
    let (cluster, host) = with_backups([1, 2, 3, 4]);
    host.network.fail("DELETE camunda_optimize_1_", 9, Fault::refusal(Duration::ZERO, 500, "snapshot_exception", "no"));
    let Passed { suspended, deleted, left } = retention_of(&host, at_most(1)).pass(Some(&[1, 3, 9])).await.unwrap();
    assert_eq!((suspended, deleted.iter().map(|it| it.backup_id).collect::<Vec<_>>()), (None, vec![3]));
    assert!(matches!(&left[..], [(1, reason)] if reason.contains("refused DELETE")), "{left:?}");
    assert_eq!(ids(&cluster), [1, 2, 4]);
}

/// The ID may have been used again between the look and the deletion.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_not_meant_goes_on() {
    let (cluster, host) = set_up();
    cluster.engine.write_within(Duration::from_secs(300));
    host.service.create("7").await.unwrap();
    host.service.delete_runs("7", Some(&["run-before".to_owned()])).await.unwrap();
    assert!(host.service.runs.driven().contains_key(&7));
    host.run_ended().await;
    assert_eq!(host.state(7).await, BackupState::Complete);
}

#[tokio::test(start_paused = true)]
async fn backups_of_others_and_one_that_is_made_stay_and_do_not_count() {
    let (cluster, host) = with_backups([1, 2]);
    store(&cluster, 7, since_epoch() - DAY * 3, None);
    store(&cluster, 8, since_epoch() - DAY * 3, Some("optimize-eu"));
    host.create_and_crash(9).await;
    retention_of(&host, at_most(1)).pass(None).await.unwrap();
    assert_eq!(ids(&cluster), [2, 7, 8, 9]);
}

/// An operator's deletion of the newest one counts before the engine has done it.
#[tokio::test(start_paused = true)]
async fn one_that_is_being_deleted_is_not_the_good_one_that_stays() {
    let (cluster, host) = with_backups([1, 2]);
    host.network.fail("DELETE", 1, Fault::Slow(Duration::from_secs(100)));
    host.service.delete("2").await.unwrap();
    retention_of(&host, at_most(1)).pass(None).await.unwrap();
    sleep(DAY).await;
    assert_eq!(ids(&cluster), [1]);
}

#[tokio::test(start_paused = true)]
async fn while_the_storage_is_away_nothing_expires() {
    let (cluster, host) = with_backups([1, 2, 3, 4]);
    let retention = retention_of(&host, at_most(1));
    let names = cluster.snapshots();
    names.iter().for_each(|name| cluster.engine.damage(name, Some(Damage::Missing)));
    retention.pass(None).await.unwrap();
    names[..4].iter().for_each(|name| cluster.engine.damage(name, None));
    retention.pass(None).await.unwrap();
    assert_eq!(ids(&cluster), [1, 2, 3, 4]);
    assert!(retention.plan().await.unwrap().suspended.unwrap().starts_with("backup 4 cannot be read"));

    names.iter().for_each(|name| cluster.engine.damage(name, None));
    retention.pass(None).await.unwrap();
    assert_eq!(ids(&cluster), [4]);
}

#[tokio::test(start_paused = true)]
async fn while_the_clocks_differ_nothing_expires() {
    let cluster = Cluster::at(since_epoch() + DAY * 365);
    let host = TestHost::new(&cluster);
    host.adopt_forever();
    host.at(1).await;
    store(&cluster, 1, since_epoch(), Some("optimize"));
    store(&cluster, 2, since_epoch() + DAY, Some("optimize"));
    let plan = retention_of(&host, at_most(1)).plan().await.unwrap();
    assert!(plan.suspended.as_ref().unwrap().contains("clocks differ"), "{plan:?}");
    assert_eq!(planned(plan), [] as [u64; 0]);
}

/// The engine was built anew on an older version: another cluster may restore all of them, and this one none.
#[tokio::test(start_paused = true)]
async fn where_nothing_can_be_restored_here_nothing_expires_by_age() {
    let (cluster, host) = with_backups([1, 2, 3]);
    cluster.snapshots().iter().for_each(|name| cluster.engine.finish(name, SnapshotState::Incompatible));
    let retention = retention_of(&host, RetentionRules::new(Some(DAY), None, None).unwrap());
    retention.pass(None).await.unwrap();
    assert_eq!(ids(&cluster), [1, 2, 3]);
    let confirm = async |newest| {
        let policies = &host.service.policies;
        crate::backups::retention::confirmation::confirm(policies, 1, newest).await.map_err(|kept| kept.to_string())
    };
    assert!(confirm(None).await.unwrap_err().starts_with("it is INCOMPATIBLE"));
    assert!(confirm(Some(3)).await.unwrap_err().contains("is not: INCOMPATIBLE"));

    store(&cluster, 4, since_epoch(), Some("optimize"));
    retention.pass(None).await.unwrap();
    assert_eq!(ids(&cluster), [3, 4]);
}

/// Its user may lack the privilege for it.
#[tokio::test(start_paused = true)]
async fn while_the_engine_does_not_tell_its_time_nothing_expires_by_age() {
    let (cluster, host) = with_backups([1, 2, 3]);
    let refusal = Fault::refusal(Duration::ZERO, 403, "security_exception", "unauthorized");
    host.network.fail("_nodes/_master", usize::MAX, refusal);
    let by_age = RetentionRules::new(Some(DAY), None, None).unwrap();
    let suspended = retention_of(&host, by_age).pass(None).await.unwrap().suspended.unwrap();
    assert!(
        suspended.contains("security_exception") && suspended.contains("cluster:monitor/nodes/stats"),
        "{suspended}"
    );
    assert_eq!(ids(&cluster), [1, 2, 3]);
    retention_of(&host, at_most(1)).pass(None).await.unwrap();
    assert_eq!(ids(&cluster), [3]);
}

#[tokio::test(start_paused = true)]
async fn two_servers_at_once_do_what_one_does() {
    let (cluster, host) = with_backups(1..=6);
    let other = TestHost::new(&cluster);
    host.network.fail("DELETE", 9, Fault::Slow(Duration::from_secs(7)));
    other.network.fail("DELETE", 9, Fault::Slow(Duration::from_secs(5)));
    let (one, two) = (retention_of(&host, at_most(2)), retention_of(&other, at_most(2)));
    let (one, two) = tokio::join!(one.pass(None), two.pass(None));
    one.and(two).unwrap();
    assert_eq!(ids(&cluster), [5, 6]);
}

/// The host looks itself: what a policy's list says of a backup is not enough.
#[tokio::test(start_paused = true)]
async fn between_the_decision_and_the_deletion_the_host_looks_itself() {
    let (cluster, host) = with_backups([1, 2]);
    let policies = &host.service.policies;
    let confirm = async |id, newest| {
        crate::backups::retention::confirmation::confirm(policies, id, newest).await.map_err(|kept| kept.to_string())
    };
    assert_eq!(confirm(1, Some(2)).await, Ok(vec!["run-of-1".to_owned()]));

    store(&cluster, 7, since_epoch(), None);
    store(&cluster, 8, since_epoch(), Some("optimize-eu"));
    for (id, newest, reason) in [
        (2, Some(2), "it is the newest that is COMPLETE"),
        (2, None, "it is the newest that is COMPLETE"),
        (2, Some(1), "backup 1, which should be a newer one that can be restored, is not: it is older"),
        (1, Some(7), "is not known to be of this installation"),
        (7, Some(2), "it is not known to be of this installation"),
        (8, Some(2), "it cannot be looked at: "),
        (9, Some(2), "it cannot be looked at: "),
    ] {
        let kept = confirm(id, newest).await.unwrap_err();
        assert!(kept.contains(reason), "{id}: {kept}");
    }
    cluster.engine.damage(&part(2, 2), Some(Damage::Missing));
    assert!(confirm(1, Some(2)).await.unwrap_err().contains("is not: FAILED"));
    assert!(confirm(2, Some(1)).await.unwrap_err().contains("cannot be read"));
}
