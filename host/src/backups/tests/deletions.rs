use futures::future::join_all;

use super::*;
use crate::elasticsearch::Response;

const REFUSED: &str = "snapshot_exception";

fn refusal_after(seconds: u64) -> Fault {
    Fault::refusal(Duration::from_secs(seconds), 500, REFUSED, "the repository is on fire")
}

#[tokio::test(start_paused = true)]
async fn what_was_added_is_looked_for_at_once_after_5_s_and_after_another_60_s() {
    let (cluster, host) = set_up();
    host.complete(1).await;
    sleep(Duration::from_secs(1)).await;

    let since = Instant::now();
    host.service.delete("1").await.unwrap();
    sleep(Duration::from_secs(3600)).await;

    // The first is the deletion's own.
    assert_eq!(host.times("GET camunda_optimize_1_", since), [0, 0, 5, 65]);
    assert_eq!(host.times("DELETE", since), [0], "nothing was added");
    assert!(cluster.snapshots().is_empty());
    assert_eq!(host.metric("deletions_ended_total{outcome=\"ok\"}"), 1.0);
}

/// An engine or a proxy that is busy for longer than a caller waits has refused: a 204 would hide that.
#[tokio::test(start_paused = true)]
async fn an_engine_that_is_busy_for_long_is_told_and_not_answered_with_204() {
    let (cluster, host) = set_up();
    host.complete(1).await;
    let Fault::Answer(_, response) = Fault::refusal(Duration::ZERO, 503, "busy", "try later") else { unreachable!() };
    let response = Response { retry_after: Some(Duration::from_secs(10)), ..response };
    host.network.fail("DELETE", 1, Fault::Answer(Duration::ZERO, response));

    assert_eq!(code(host.service.delete("1").await), "engineBusy");
    assert_eq!(cluster.snapshots().len(), 2);
    host.service.delete("1").await.unwrap();
    assert!(cluster.snapshots().is_empty());
}

/// It was about to start part 2 when another host deleted the backup, of which only part 1 was there.
#[tokio::test(start_paused = true)]
async fn what_a_neighbour_adds_in_the_gap_is_deleted_by_the_next_look() {
    for (added_after, deleted_after) in [(1, 5), (4, 5), (6, 65), (55, 65)] {
        let (cluster, host) = set_up();
        let neighbour = TestHost::new(&cluster);
        // The second look at the indices is for part 2.
        neighbour.network.fail_from(
            2,
            "GET _resolve",
            1,
            Fault::Slow(Duration::from_millis(added_after * 1_000 + 500)),
        );
        neighbour.service.create("1").await.unwrap();
        while neighbour.network.times("_resolve", neighbour.begin).len() < 2 {
            sleep(Duration::from_millis(10)).await;
        }

        let since = Instant::now();
        host.service.delete("1").await.unwrap();
        assert!(cluster.snapshots().is_empty());
        neighbour.run_ended().await;
        sleep(Duration::from_secs(90)).await;

        assert_eq!(neighbour.times("PUT part_2", since), [added_after]);
        assert_eq!(host.times("DELETE", since), [0, deleted_after], "added after {added_after} s");
        assert!(cluster.snapshots().is_empty());
        assert!(host.is_gone(1).await && neighbour.is_gone(1).await);
    }
}

/// The engine refuses the deletion after the 204, and accepts it when the host repeats it.
#[tokio::test(start_paused = true)]
async fn a_deletion_that_the_engine_did_after_all_is_not_told_as_failed() {
    let (cluster, host) = set_up();
    host.complete(1).await;
    host.network.fail("DELETE", 1, refusal_after(3));
    // By the first look.
    host.network.fail("DELETE", 1, refusal_after(0));

    let since = Instant::now();
    host.service.delete("1").await.unwrap();
    assert_eq!((since.elapsed().as_secs(), host.pending()), (2, vec!["1".to_owned()]));

    sleep(Duration::from_secs(2)).await;
    assert!(host.failed()["1"].contains("the repository is on fire"), "{:?}", host.failed());
    sleep(Duration::from_secs(5)).await;
    assert_eq!((host.failed(), host.pending()), (BTreeMap::new(), Vec::new()));

    assert_eq!(host.times("DELETE", since), [0, 3, 8]);
    assert!(cluster.snapshots().is_empty());
}

/// The later one is of a new backup of that ID, and the engine's reason is the same. The earlier one looks again
/// while the later one has failed.
#[tokio::test(start_paused = true)]
async fn an_earlier_deletion_does_not_hide_that_a_later_one_failed() {
    for has_failed in [false, true] {
        let (cluster, host) = set_up();
        host.complete(1).await;
        if has_failed {
            host.network.fail("DELETE", 1, refusal_after(3));
        }
        host.service.delete("1").await.unwrap();
        sleep(Duration::from_secs(10)).await;
        assert!(cluster.snapshots().is_empty());

        host.complete(1).await;
        host.network.fail("DELETE", usize::MAX, refusal_after(3));
        host.service.delete("1").await.unwrap();
        sleep(Duration::from_secs(2)).await;
        for _ in 0..300 {
            assert!(host.failed().contains_key("1"), "not told any more after {:?}", host.begin.elapsed());
            sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(cluster.snapshots(), [part(1, 1), part(1, 2)]);
    }
}

/// The request gets lost; meanwhile somebody else deletes the backup and makes another of that ID.
#[tokio::test(start_paused = true)]
async fn a_lost_deletion_is_made_up_for_and_spares_a_new_backup() {
    let (cluster, host) = set_up();
    let neighbour = TestHost::new(&cluster);
    for id in [1, 2] {
        cluster.write_foreign(&part(id, 1));
        host.network.fail("DELETE", 1, Fault::Lost);
        host.service.delete(&id.to_string()).await.unwrap();
    }
    assert_eq!((host.pending(), host.begin.elapsed().as_secs()), (vec!["1".to_owned(), "2".to_owned()], 4));
    cluster.delete(&part(2, 1));
    neighbour.service.create("2").await.unwrap();

    sleep(Duration::from_secs(11)).await;
    assert_eq!((host.pending(), host.failed()), (Vec::new(), BTreeMap::new()));
    sleep(Duration::from_secs(90)).await;

    assert_eq!(host.times("DELETE _1_8", host.begin), [0, 12]);
    assert_eq!(host.times("DELETE _2_8", host.begin), [2]);
    assert_eq!(neighbour.state(2).await, BackupState::Complete);
    assert_eq!(cluster.snapshots(), [part(2, 1), part(2, 2)]);
}

/// For a running snapshot in a slow repository.
#[tokio::test(start_paused = true)]
async fn an_engine_that_is_still_at_it_is_asked_again_at_growing_intervals() {
    let (cluster, host) = set_up();
    host.adopt_forever();
    cluster.engine.write_within(Duration::from_secs(3600));
    host.service.create("1").await.unwrap();
    let since = Instant::now();
    host.network.fail("DELETE", usize::MAX, Fault::SlowUntil(since + Duration::from_secs(480)));

    host.service.delete("1").await.unwrap();
    assert_eq!(since.elapsed().as_secs(), 2, "an early refusal is waited for");
    for _ in 0..47 {
        sleep(Duration::from_secs(10)).await;
        assert_eq!(host.pending(), ["1"], "after {:?}", since.elapsed());
        assert_eq!(host.state(1).await, BackupState::InProgress);
        assert!(host.service.runs.driven().is_empty(), "it resumes what it deletes");
        assert_eq!(code(host.service.create("1").await), "backupBeingDeleted");
    }
    sleep(Duration::from_secs(20)).await;

    assert_eq!(host.times("DELETE", since), [0, 12, 34, 76, 158, 320]);
    assert_eq!((host.pending(), host.failed()), (Vec::new(), BTreeMap::new()));
    assert!(cluster.snapshots().is_empty());
    host.service.create("1").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_answer_for_an_hour_has_failed() {
    let (_, host) = set_up();
    host.complete(1).await;
    host.network.fail("DELETE", usize::MAX, Fault::Lost);

    let since = Instant::now();
    host.service.delete("1").await.unwrap();
    while host.failed().is_empty() {
        assert_eq!(host.pending(), ["1"]);
        sleep(Duration::from_secs(1)).await;
    }

    let minutes = since.elapsed().as_secs() / 60;
    assert!((55..=65).contains(&minutes), "after {minutes} min");
    assert!(host.failed()["1"].contains("the snapshots are still there"), "{:?}", host.failed());
    assert_eq!(host.metric("deletions_ended_total{outcome=\"failed\"}"), 1.0);
    assert_eq!(host.metric("deletions_pending"), 0.0);
}

/// The engine then deletes none of the other snapshots, and answers so only after the 204.
#[tokio::test(start_paused = true)]
async fn that_somebody_else_deleted_one_of_them_does_not_save_the_other() {
    let (cluster, host) = set_up();
    host.complete(1).await;
    cluster.delete(&part(1, 2));
    let missing = Fault::refusal(Duration::from_secs(3), 404, "snapshot_missing_exception", "it is missing");
    host.network.fail("DELETE", 1, missing);

    let since = Instant::now();
    host.service.delete("1").await.unwrap();
    sleep(Duration::from_secs(4)).await;

    assert_eq!(host.times("DELETE", since), [0, 3]);
    assert_eq!((host.pending(), host.failed()), (Vec::new(), BTreeMap::new()));
    assert!(cluster.snapshots().is_empty());
}

/// The engine is unreachable after the 204, for a long time.
#[tokio::test(start_paused = true)]
async fn a_deletion_outlives_that_the_engine_is_away() {
    let (cluster, host) = set_up();
    host.complete(1).await;
    host.network.fail("DELETE", 1, Fault::Lost);
    host.service.delete("1").await.unwrap();
    host.network.fail("_snapshot", usize::MAX, Fault::Away);

    sleep(Duration::from_secs(600)).await;
    assert_eq!(host.pending(), ["1"]);
    host.network.heal();
    sleep(Duration::from_secs(300)).await;

    assert_eq!((host.pending(), host.failed()), (Vec::new(), BTreeMap::new()));
    assert!(cluster.snapshots().is_empty());
}

/// The second DELETE comes before the first one has its answer: nobody would carry it out after a 204.
#[tokio::test(start_paused = true)]
async fn a_second_caller_is_told_what_the_first_one_is() {
    let (cluster, host) = set_up();
    host.complete(1).await;
    host.network.fail("GET camunda_optimize_1_", usize::MAX, Fault::Lost);
    let since = Instant::now();

    let ask = || join_all((0..3).map(|_| host.service.delete("1")));
    for outcome in ask().await {
        assert_eq!(code(outcome), "engineNotAnswering");
    }
    assert_eq!((since.elapsed(), host.pending()), (CALL, Vec::new()));
    assert_eq!(cluster.snapshots(), [part(1, 1), part(1, 2)]);

    host.network.heal();
    for outcome in ask().await {
        outcome.unwrap();
    }
    assert_eq!(host.times("DELETE", since), [60]);
    assert!(cluster.snapshots().is_empty());
}

/// The DELETE is answered with an error, so the backup is still to be made.
#[tokio::test(start_paused = true)]
async fn the_run_continues_if_the_deletion_cannot_be_submitted() {
    let (_, host) = set_up();
    host.service.create("1").await.unwrap();
    host.network.fail("DELETE", 1, Fault::refusal(Duration::ZERO, 403, "security_exception", "not yours"));
    assert_eq!(code(host.service.delete("1").await), "engineAccessDenied");
    host.run_ended().await;
    assert_eq!(host.state(1).await, BackupState::Complete);
}

#[tokio::test(start_paused = true)]
async fn a_second_deletion_that_cannot_be_submitted_does_not_hide_that_the_first_one_failed() {
    let (_, host) = set_up();
    host.complete(1).await;
    host.network.fail("DELETE", usize::MAX, refusal_after(3));
    host.service.delete("1").await.unwrap();
    sleep(Duration::from_secs(2)).await;
    let failed = host.failed();
    assert_eq!(failed.len(), 1);

    host.network.fail("GET", usize::MAX, Fault::Away);
    assert_eq!(code(host.service.delete("1").await), "engineUnreachable");

    assert_eq!((host.failed(), host.pending()), (failed, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_for_a_day() {
    let (_, host) = set_up();
    host.complete(1).await;
    // The looks for leftovers are refused at once, so that nothing else happens to it.
    host.network.fail("DELETE", 1, refusal_after(3));
    host.network.fail("DELETE", usize::MAX, refusal_after(0));
    host.service.delete("1").await.unwrap();

    sleep(Duration::from_secs(24 * 60 * 60)).await;
    assert_eq!(host.failed().len(), 1);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(host.failed(), BTreeMap::new());
}

#[tokio::test(start_paused = true)]
async fn another_installations_backup_is_not_deleted() {
    let (cluster, owner) = set_up();
    owner.service.create("1").await.unwrap();
    let host = TestHost::of_installation(&cluster, "optimize-team-b");
    assert_eq!(code(host.service.delete("1").await), "backupOfAnotherInstallation");
    assert_eq!(code(host.service.create("1").await), "backupAlreadyExists");
    assert!(host.times("DELETE", host.begin).is_empty() && host.times("PUT", host.begin).is_empty());
    assert!(host.service.deletions.all().is_empty());

    owner.run_ended().await;
    assert_eq!(owner.state(1).await, BackupState::Complete);
    assert_eq!(host.metric("last_success_timestamp_seconds"), 0.0);
}
