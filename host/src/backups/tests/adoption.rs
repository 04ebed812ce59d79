use super::*;

/// The request that lists backups that no host drives.
const LOOK: &str = "GET camunda_optimize_*";

#[tokio::test(start_paused = true)]
async fn a_neighbour_looks_every_30_s_for_what_a_killed_host_left() {
    let (cluster, killed) = set_up();
    let host = TestHost::new(&cluster);
    host.adopt_forever();
    host.at(10).await;
    killed.create_and_crash(1).await;

    host.at(29).await;
    assert_eq!(cluster.snapshots(), [part(1, 1)]);
    host.at(31).await;
    assert_eq!(host.service.runs.driven(), BTreeMap::from([(1, None)]));
    host.at(100).await;

    assert_eq!(host.times(LOOK, host.begin), [0, 30, 60, 90]);
    assert_eq!(host.times("PUT part_2", host.begin), [30]);
    assert_eq!(host.state(1).await, BackupState::Complete);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_starts_looks_at_once() {
    let (cluster, killed) = set_up();
    killed.create_and_crash(1).await;
    killed.at(60).await;

    let host = TestHost::new(&cluster);
    host.adopt_forever();
    host.at(20).await;

    assert_eq!(host.times("PUT part_2", host.begin), [0]);
    assert_eq!(host.state(1).await, BackupState::Complete);
}

#[tokio::test(start_paused = true)]
async fn after_the_resume_window_nobody_resumes_it() {
    let (cluster, killed) = set_up();
    killed.create_and_crash(1).await;
    killed.at(RESUME_WINDOW.as_secs() + 4).await;

    let host = TestHost::new(&cluster);
    host.adopt_forever();
    host.at(120).await;

    assert_eq!(host.state(1).await, BackupState::Incomplete);
    assert_eq!(cluster.snapshots(), [part(1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_does_not_end_the_looks() {
    let (cluster, killed) = set_up();
    let host = TestHost::new(&cluster);
    killed.create_and_crash(1).await;
    host.network.fail("", usize::MAX, Fault::Away);
    host.adopt_forever();

    host.at(100).await;
    assert!(host.service.runs.driven().is_empty());
    host.network.heal();
    host.at(140).await;

    assert_eq!(host.state(1).await, BackupState::Complete);
}

/// Two hosts that adopt a backup at the same time write part 2 once.
#[tokio::test(start_paused = true)]
async fn several_hosts_that_resume_a_backup_write_part_2_once() {
    let (cluster, killed) = set_up();
    killed.create_and_crash(1).await;
    let hosts = [TestHost::new(&cluster), TestHost::new(&cluster), TestHost::new(&cluster)];
    for host in &hosts {
        host.network.fail("GET _resolve", 1, Fault::Slow(Duration::from_secs(1)));
        host.adopt_forever();
    }
    killed.at(60).await;

    let attempts: usize = hosts.iter().map(|host| host.times("PUT part_2", host.begin).len()).sum();
    assert_eq!((attempts, cluster.snapshots()), (3, vec![part(1, 1), part(1, 2)]));
    for host in &hosts {
        assert_eq!(host.state(1).await, BackupState::Complete);
        assert!(host.service.runs.driven().is_empty());
    }
}

/// A run that has ended here is not resumed here; it would be from its snapshots alone.
#[tokio::test(start_paused = true)]
async fn a_run_that_has_ended_is_not_resumed() {
    let (cluster, host) = set_up();
    host.adopt_forever();
    host.network.fail("PUT part_2", 1, Fault::refusal(Duration::ZERO, 403, "security_exception", "not yours"));
    host.service.create("1").await.unwrap();
    host.at(300).await;
    assert_eq!((host.state(1).await, cluster.snapshots()), (BackupState::Incomplete, vec![part(1, 1)]));
}

/// Of what is finished only the newest is read in full, once, for the metrics; what has ended otherwise only once, too.
#[tokio::test(start_paused = true)]
async fn an_idle_host_reads_names_and_states_alone() {
    let (cluster, other) = set_up();
    other.complete(1).await;
    other.network.fail("PUT part_2", 1, Fault::refusal(Duration::ZERO, 403, "security_exception", "not yours"));
    other.service.create("2").await.unwrap();
    other.run_ended().await;
    other.at(RESUME_WINDOW.as_secs() + 60).await;

    let host = TestHost::new(&cluster);
    host.adopt_forever();
    host.at(100).await;

    assert_eq!(host.times(LOOK, host.begin), [0, 30, 60, 90]);
    let lists =
        cluster.requests().into_iter().filter(|request| request.path.ends_with(&["camunda_optimize_*".to_owned()]));
    let cheap = ("verbose".to_owned(), "false".to_owned());
    assert!(lists.into_iter().all(|request| request.query.contains(&cheap)), "no list has all metadata");
    assert_eq!(host.times("GET camunda_optimize_1_*", host.begin), [0]);
    assert_eq!(host.times("GET camunda_optimize_2_", host.begin), [0]);
}

/// Each time that its names and states change, it is read once to see whose it is.
#[tokio::test(start_paused = true)]
async fn another_installations_backup_is_not_resumed() {
    let (cluster, killed) = set_up();
    killed.create_and_crash(1).await;
    let host = TestHost::of_installation(&cluster, "optimize-team-b");
    host.adopt_forever();
    host.at(RESUME_WINDOW.as_secs() + 60).await;

    assert_eq!(host.times("GET camunda_optimize_1_", host.begin), [0, 30]);
    assert_eq!(cluster.snapshots(), [part(1, 1)]);
    assert!(host.is_gone(1).await);
}

/// The look has read the backup as in progress; by then a deletion has begun.
#[tokio::test(start_paused = true)]
async fn a_backup_whose_deletion_begins_during_the_look_is_not_resumed() {
    let (cluster, killed) = set_up();
    killed.create_and_crash(1).await;
    killed.at(10).await;

    let host = TestHost::new(&cluster);
    host.network.fail("GET camunda_optimize_1_", 1, Fault::Slow(Duration::from_secs(5)));
    host.network.fail("DELETE", 1, Fault::Slow(Duration::from_secs(20)));
    host.adopt_forever();
    host.at(1).await;
    host.service.delete("1").await.unwrap();
    host.at(60).await;

    assert!(host.times("PUT part_2", host.begin).is_empty());
    assert!(cluster.snapshots().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_is_found_too_late_is_counted_once() {
    let (_, host) = set_up();
    host.create_and_crash(1).await;
    host.at(20 * 60).await;
    host.adopt_forever();
    host.at(40 * 60).await;

    assert_eq!(host.state(1).await, BackupState::Incomplete);
    let reason = host.reason(1).await;
    assert!(reason.contains("part 2 was not started within backup.resumeWindow (10m) after that"), "{reason}");
    assert_eq!(host.metric("runs_found_too_late_total"), 1.0);
    assert_eq!(host.metric("runs_ended_total{state=\"incomplete\"}"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn what_was_left_days_ago_is_no_news() {
    let (_, host) = set_up();
    host.create_and_crash(1).await;
    host.at(2 * 24 * 60 * 60).await;
    host.adopt_forever();
    host.at(2 * 24 * 60 * 60 + 60).await;
    assert_eq!(host.state(1).await, BackupState::Incomplete);
    assert_eq!(host.metric("runs_found_too_late_total"), 0.0);
}

/// This host was there: it has counted the backup's end.
#[tokio::test(start_paused = true)]
async fn what_ended_here_was_not_found_too_late() {
    let (_, host) = set_up();
    host.adopt_forever();
    host.network.fail("PUT part_2_of_2", 1, Fault::refusal(Duration::ZERO, 403, "security_exception", "not yours"));
    host.service.create("1").await.unwrap();
    host.at(20 * 60).await;
    assert_eq!(host.state(1).await, BackupState::Incomplete);
    assert_eq!(host.metric("runs_found_too_late_total"), 0.0);
    assert_eq!(host.metric("runs_ended_total{state=\"incomplete\"}"), 1.0);
}

/// Nobody has asked for these calls, and there may be many of them.
#[tokio::test(start_paused = true)]
async fn a_look_that_fails_is_no_mark_against_the_policy() {
    let (cluster, killed) = set_up();
    killed.create_and_crash(1).await;
    // It cannot even answer.
    let limits = CallLimits { transfer: 64, ..LIMITS };
    let host = TestHost::with_limits(&cluster, "optimize", limits);
    host.adopt_forever();
    host.at(300).await;

    let serving = host.service.policies.serving();
    assert!(host.times(LOOK, host.begin).len() >= 10);
    assert_eq!((serving.calls(), serving.failures()), (0, 0));
    host.service.get("1").await.unwrap_err();
    assert_eq!((serving.calls(), serving.failures()), (1, 1));
}
