use super::engine::{SETTINGS, SNAPSHOT};
use super::*;
use crate::correlation::Correlation;
use crate::sandbox::types::ListQuery;

const PART_TWO: &str = "PUT part_2_of_2";

#[tokio::test(start_paused = true)]
async fn part_2_is_started_soon_after_part_1_has_ended() {
    let (cluster, host) = set_up();
    host.complete(1).await;

    let [part_one, part_two] = cluster.engine.snapshots(REPOSITORY).try_into().unwrap();
    let gap = part_two.started.since(part_one.ended.unwrap());
    assert!(gap < SNAPSHOT / 3, "{gap:?} after part 1");
    assert_eq!(host.times("PUT", host.begin).len(), 2);
    assert_eq!((host.metric("runs_active"), host.metric("runs_ended_total{state=\"complete\"}")), (0.0, 1.0));
}

#[tokio::test(start_paused = true)]
async fn what_is_done_in_the_background_is_known_by_the_request_that_began_it() {
    let (_, host) = set_up();
    Correlation::of_work("the-post").scope(host.service.create("1")).await.unwrap();
    host.run_ended().await;
    for words in ["PUT part_1_of_2", PART_TWO] {
        assert_eq!(host.times(&format!("{words} the-post"), host.begin).len(), 1, "{words}");
    }
    let deleted = Instant::now();
    Correlation::of_work("the-delete").scope(host.service.delete("1")).await.unwrap();
    sleep(Duration::from_secs(120)).await;
    let looks = host.times("GET the-delete", deleted);
    assert_eq!(host.times("DELETE the-delete", deleted).len(), 1);
    assert!(looks.iter().any(|second| *second >= 60), "{looks:?}");
}

/// A shard on its way to another node.
#[tokio::test(start_paused = true)]
async fn a_refusal_that_passes_is_overcome_and_told_meanwhile() {
    let (cluster, host) = set_up();
    cluster.engine.assign_primary(SETTINGS, false);
    host.service.create("1").await.unwrap();

    host.at(120).await;
    let refusal = host.service.runs.driven()[&1].clone().unwrap_or_default();
    assert!(refusal.contains("Indices don't have primary shards"), "{refusal}");
    assert_eq!(host.state(1).await, BackupState::InProgress);
    cluster.engine.assign_primary(SETTINGS, true);
    host.at(160).await;

    assert_eq!((host.state(1).await, host.service.runs.driven()), (BackupState::Complete, BTreeMap::new()));
    // At first every 2 s, then at growing intervals.
    let attempts = host.network.times(PART_TWO, host.begin);
    let pauses: Vec<Duration> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        pauses.iter().all(|pause| (Duration::from_secs(2)..=Duration::from_secs(31)).contains(pause)),
        "{pauses:?}"
    );
    assert!((6..18).contains(&attempts.len()), "{attempts:?}");
    assert_eq!(host.metric("run_retries_total") as usize, attempts.len() - 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_stays_ends_the_run_at_once() {
    let (cluster, host) = set_up();
    host.network.fail(PART_TWO, 1, Fault::refusal(Duration::ZERO, 403, "security_exception", "not yours"));
    host.service.create("1").await.unwrap();
    host.run_ended().await;
    host.at(300).await;

    let backup = host.service.get("1").await.unwrap();
    assert_eq!(backup.state, BackupState::Incomplete);
    let reason = backup.failure_reason.unwrap_or_default();
    assert!(reason.contains("part 2 of 2 is missing") && reason.contains("not yours"), "{reason}");
    assert_eq!((host.times(PART_TWO, host.begin).len(), cluster.snapshots()), (1, vec![part(1, 1)]));
    assert_eq!(
        host.service.list(ListQuery::default()).await.unwrap().backups[0].failure_reason,
        Some(reason),
        "a list tells the same"
    );
}

#[tokio::test(start_paused = true)]
async fn part_2_is_not_tried_after_the_resume_window() {
    let (cluster, host) = set_up();
    cluster.engine.assign_primary(SETTINGS, false);
    host.service.create("1").await.unwrap();
    host.run_ended().await;

    let window_ends = SNAPSHOT + RESUME_WINDOW;
    let last = host.network.times(PART_TWO, host.begin).pop().unwrap();
    assert!(
        last <= window_ends && last + Duration::from_secs(31) >= window_ends,
        "the last attempt was after {last:?}"
    );
    assert!(host.begin.elapsed() < window_ends + Duration::from_secs(31));
    cluster.engine.assign_primary(SETTINGS, true);
    sleep(Duration::from_secs(3600)).await;

    let backup = host.service.get("1").await.unwrap();
    assert_eq!((backup.state, cluster.snapshots()), (BackupState::Incomplete, vec![part(1, 1)]));
    let reason = backup.failure_reason.unwrap_or_default();
    assert!(reason.contains("Indices don't have primary shards"), "{reason}");
}

/// The engine's refusal names every index that it concerns.
#[tokio::test(start_paused = true)]
async fn a_long_refusal_is_remembered_in_short() {
    let (_, host) = set_up();
    let long = format!("not yours: {}", "optimize-process-instance-ä ".repeat(1_000));
    host.network.fail(PART_TWO, 1, Fault::refusal(Duration::ZERO, 403, "security_exception", &long));
    host.service.create("1").await.unwrap();
    host.run_ended().await;

    let reason = host.service.get("1").await.unwrap().failure_reason.unwrap_or_default();
    assert!(reason.contains("not yours"), "{reason}");
    assert!(reason.len() < 1_500, "{} bytes", reason.len());
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_for_a_while_delays_a_run() {
    let (cluster, host) = set_up();
    host.service.create("1").await.unwrap();
    host.at(1).await;
    host.network.fail("", usize::MAX, Fault::Away);

    host.at(300).await;
    let trouble = host.service.runs.driven()[&1].clone().unwrap_or_default();
    assert!(trouble.contains("cannot be reached: connection refused"), "{trouble}");
    assert!(host.metric("run_retries_total") >= 10.0);
    host.network.heal();
    host.at(345).await;

    assert_eq!(host.state(1).await, BackupState::Complete);
    assert_eq!(cluster.snapshots(), [part(1, 1), part(1, 2)]);
}

/// A step that gets no answer lasts as long as a call may, and is then repeated.
#[tokio::test(start_paused = true)]
async fn an_engine_that_is_silent_for_a_while_delays_a_run() {
    let (cluster, host) = set_up();
    host.service.create("1").await.unwrap();
    host.network.fail("GET camunda_optimize_1_", 2, Fault::Lost);
    host.at(59).await;
    assert_eq!(host.service.runs.driven(), BTreeMap::from([(1, None)]));
    host.at(62).await;
    assert!(host.service.runs.driven()[&1].is_some(), "nothing is told of it");
    host.at(180).await;
    assert_eq!(host.state(1).await, BackupState::Complete);
    assert_eq!(cluster.snapshots(), [part(1, 1), part(1, 2)]);
}

#[tokio::test(start_paused = true)]
async fn part_2_is_written_once_whatever_becomes_of_the_answer() {
    for fault in [Fault::Lost, Fault::AnswerLost, Fault::Slow(Duration::from_secs(45))] {
        let (cluster, host) = set_up();
        host.network.fail(PART_TWO, 1, fault);
        host.complete(1).await;
        assert!((30..=45).contains(&host.begin.elapsed().as_secs()), "{:?}", host.begin.elapsed());
        host.at(60).await;
        assert_eq!(cluster.snapshots(), [part(1, 1), part(1, 2)]);
    }
}

/// The step that has begun is finished first, so that nothing is written after the host has stopped.
#[tokio::test(start_paused = true)]
async fn a_host_that_stops_finishes_the_step_and_leaves_the_rest() {
    let (cluster, host) = set_up();
    host.network.fail(PART_TWO, 1, Fault::Slow(Duration::from_secs(20)));
    host.service.create("1").await.unwrap();
    while host.network.times(PART_TWO, host.begin).is_empty() {
        sleep(Duration::from_millis(10)).await;
    }

    let since = Instant::now();
    host.service.runs.shut_down().await;
    assert!(since.elapsed() > Duration::from_secs(19), "after {:?}", since.elapsed());
    assert_eq!(cluster.snapshots(), [part(1, 1), part(1, 2)]);
    let sent = host.network.times("", since).len();
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(host.network.times("", since).len(), sent);
}
