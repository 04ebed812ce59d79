//! Hosts that are killed or stop, an engine that is away or refuses, and what is left then.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_a_killed_host_has_left_is_cleared_after_90_s_and_not_before() {
    for steps in [0, 1, 2] {
        let (cluster, killed) = with_backup().await;
        cluster.engine.restore_within(Duration::from_secs(3600));
        killed.verify_and_crash(steps).await;
        let neighbour = TestHost::new(&cluster);
        neighbour.adopt_forever();
        neighbour.at(ABANDONED_AFTER - 1).await;
        assert!(scratch(&cluster).contains(&LOCK.to_owned()), "after {steps} steps");
        assert_eq!(code(neighbour.verify("1").await), "verificationInProgress");
        neighbour.at(ABANDONED_AFTER + INTERVAL).await;
        assert_eq!(scratch(&cluster), [] as [String; 0], "after {steps} steps");

        cluster.engine.restore_within(Duration::from_secs(1));
        neighbour.verify("1").await.unwrap();
        assert_eq!(neighbour.verified("1").await.state, VerificationState::Passed);
    }
}

/// It takes longer than a dead one is waited for, and shows that it lives.
#[tokio::test(start_paused = true)]
async fn a_verification_that_goes_on_is_not_cleared() {
    let (cluster, host) = with_backup().await;
    cluster.engine.restore_within(Duration::from_secs(300));
    let neighbour = TestHost::new(&cluster);
    neighbour.adopt_forever();
    host.adopt_forever();
    host.verify("1").await.unwrap();
    let verification = host.verified("1").await;
    assert_eq!(verification.state, VerificationState::Passed, "{verification:?}");
    assert_eq!(scratch(&cluster), [] as [String; 0]);
}

/// Whoever was taken for dead finds the lock gone, and touches nothing more.
#[tokio::test(start_paused = true)]
async fn a_host_that_was_away_for_too_long_ends_and_touches_nothing() {
    let (cluster, host) = with_backup().await;
    cluster.engine.restore_within(Duration::from_secs(600));
    let neighbour = TestHost::new(&cluster);
    neighbour.adopt_forever();
    host.verify("1").await.unwrap();
    sleep(Duration::from_secs(5)).await;
    host.network.fail(" ", usize::MAX, Fault::Away);
    sleep(Duration::from_secs(180)).await;
    assert_eq!(scratch(&cluster), [] as [String; 0]);
    neighbour.verify("1").await.unwrap();
    sleep(Duration::from_secs(5)).await;
    let others = scratch(&cluster);
    host.network.heal();

    let verification = host.verified("1").await;
    assert_eq!(verification.state, VerificationState::InProgress, "{verification:?}");
    assert_eq!(scratch(&cluster), others);
    assert_eq!(neighbour.verified("1").await.state, VerificationState::Passed);
    let told = host.service.verifications.get("1").await.unwrap();
    assert_eq!(told.state, VerificationState::Failed);
    assert!(told.failure_reason.unwrap().starts_with("it could not be carried out"), "the backup is not the reason");
    assert!(told.checks.iter().all(|check| check.outcome != CheckOutcome::Failed), "{:?}", told.checks);
}

/// Another tool's snapshot of everything has the copies in it.
#[tokio::test(start_paused = true)]
async fn copies_that_cannot_be_deleted_make_no_good_backup_a_bad_one() {
    let (cluster, host) = with_backup().await;
    // The first deletes the copies of part 1, so that there is room for those of part 2.
    host.network.fail_from(
        2,
        "DELETE optimize-backup-verify",
        usize::MAX,
        Fault::refusal(Duration::ZERO, 400, "snapshot_in_progress_exception", "they are being snapshotted"),
    );
    host.verify("1").await.unwrap();
    assert_eq!(host.verified("1").await.state, VerificationState::Passed);
    assert_eq!((host.outcome("failed"), host.outcome("passed") > 0.0), (0.0, true));
    assert_ne!(scratch(&cluster), [] as [String; 0]);
}

/// While the engine does not answer, nobody can show a sign of life.
#[tokio::test(start_paused = true)]
async fn the_time_in_which_a_host_could_not_look_does_not_count() {
    let (cluster, host) = with_backup().await;
    cluster.engine.restore_within(Duration::from_secs(600));
    let neighbour = TestHost::new(&cluster);
    host.verify_and_crash(3).await;
    neighbour.adopt_forever();
    sleep(Duration::from_secs(45)).await;
    neighbour.network.fail(" ", usize::MAX, Fault::Away);
    sleep(Duration::from_secs(100)).await;
    neighbour.network.heal();
    sleep(Duration::from_secs(INTERVAL + 10)).await;
    assert_ne!(scratch(&cluster), [] as [String; 0]);
    sleep(Duration::from_secs(ABANDONED_AFTER + INTERVAL)).await;
    assert_eq!(scratch(&cluster), [] as [String; 0]);
}

/// Somebody has taken the lock away by hand, say.
#[tokio::test(start_paused = true)]
async fn copies_without_a_lock_are_cleared_after_90_s() {
    let (cluster, host) = with_backup().await;
    cluster.engine.add_index("optimize-backup-verify-1-optimize-settings_v3");
    cluster.engine.add_index("optimize-backup-verified");
    host.adopt_forever();
    let begin = Instant::now();
    sleep(Duration::from_secs(ABANDONED_AFTER - 1)).await;
    assert_eq!(scratch(&cluster).len(), 1);
    sleep(Duration::from_secs(INTERVAL + 1)).await;
    assert_eq!(scratch(&cluster), [] as [String; 0], "{:?}", begin.elapsed());
    assert!(cluster.engine.indices().contains_key("optimize-backup-verified"));
}

/// Nobody waits for ever for somebody who gives a privilege.
#[tokio::test(start_paused = true)]
async fn a_lasting_refusal_ends_it_within_minutes_and_clears() {
    let (cluster, host) = with_backup().await;
    host.network.fail(
        "POST _restore",
        usize::MAX,
        Fault::refusal(Duration::ZERO, 403, "security_exception", "unauthorized"),
    );
    let since = Instant::now();
    host.verify("1").await.unwrap();
    let verification = host.verified("1").await;
    assert!((Duration::from_secs(100)..Duration::from_secs(200)).contains(&since.elapsed()), "{:?}", since.elapsed());
    let reason = verification.failure_reason.unwrap();
    assert_eq!(verification.state, VerificationState::Failed);
    assert!(reason.contains("failed for two minutes") && reason.contains("refused access"), "{reason}");
    assert_eq!(scratch(&cluster), [] as [String; 0]);
    assert!(host.outcome("failed") > 0.0 && host.outcome("passed") == 0.0);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_for_minutes_ends_nothing() {
    let (_, host) = with_backup().await;
    host.verify("1").await.unwrap();
    host.network.fail(" ", usize::MAX, Fault::Away);
    sleep(Duration::from_secs(600)).await;
    let told = host.service.verifications.get("1").await.unwrap();
    assert!(told.next_step.unwrap().contains("being tried again"));
    host.network.heal();
    assert_eq!(host.verified("1").await.state, VerificationState::Passed);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_for_an_hour_ends_it_and_it_is_cleared_when_it_is_back() {
    let (cluster, host) = with_backup().await;
    host.adopt_forever();
    cluster.engine.restore_within(Duration::from_secs(60));
    host.verify("1").await.unwrap();
    sleep(Duration::from_secs(10)).await;
    host.network.fail(" ", usize::MAX, Fault::Away);
    sleep(Duration::from_secs(2 * 60 * 60)).await;
    assert_eq!(host.service.verifications.driven(), None);
    assert!(!scratch(&cluster).is_empty());
    host.network.heal();
    let verification = host.verified("1").await;
    assert_eq!(verification.state, VerificationState::Failed, "its own lock is no sign of another one");
    assert!(verification.failure_reason.unwrap().contains("nothing has changed for an hour"));
    sleep(Duration::from_secs(ABANDONED_AFTER + 2 * INTERVAL)).await;
    assert_eq!(scratch(&cluster), [] as [String; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_stops_clears_what_it_has_made() {
    let (cluster, host) = with_backup().await;
    cluster.engine.restore_within(Duration::from_secs(3600));
    host.verify("1").await.unwrap();
    sleep(Duration::from_secs(30)).await;
    assert!(scratch(&cluster).len() > 1);
    assert_eq!(timeout(CALL, host.service.verifications.shut_down()).await.expect("it ends"), Left::Nothing);
    assert_eq!(scratch(&cluster), [] as [String; 0]);
    assert_eq!(host.service.verifications.get("1").await.unwrap().state, VerificationState::None);
}

/// Whoever waits for its end is told.
#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_clear_when_it_stops_does_not_say_that_it_has() {
    let (cluster, host) = with_backup().await;
    cluster.engine.restore_within(Duration::from_secs(3600));
    host.verify("1").await.unwrap();
    sleep(Duration::from_secs(30)).await;
    host.network.fail(" ", usize::MAX, Fault::Away);
    assert_eq!(timeout(CALL, host.service.verifications.shut_down()).await.expect("it ends"), Left::Something);
    assert!(scratch(&cluster).len() > 1);
}

/// Nor one that does not know whether it has begun.
#[tokio::test(start_paused = true)]
async fn a_lock_whose_answer_is_lost_may_be_left() {
    let (_, host) = with_backup().await;
    host.network.fail(LOCK, usize::MAX, Fault::Away);
    host.verify("1").await.unwrap_err();
    assert_eq!(timeout(CALL, host.service.verifications.shut_down()).await.expect("it ends"), Left::Something);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_has_begun_none_has_nothing_left_even_beside_anothers() {
    let (cluster, host) = with_backup().await;
    let other = TestHost::new(&cluster);
    let run = other.verify_and_crash(3).await;
    assert_eq!(code(host.verify("1").await), "verificationInProgress");
    assert_eq!(timeout(CALL, host.service.verifications.shut_down()).await.expect("it ends"), Left::NotBegun);
    assert_eq!(host.holder().await.map(|holder| holder.run_id), Some(run.run_id));
}

/// Scheduled backups of two installations have the same IDs.
#[tokio::test(start_paused = true)]
async fn another_installations_verification_holds_the_lock_and_is_none_of_a_backup_of_this_one() {
    let (cluster, host) = with_backup().await;
    let lock = backup_core::Request::take_lock("1.optimize.eu.run.0");
    backup_core::Engine::send(&cluster.engine, &lock).unwrap();
    host.adopt_forever();
    host.at(1).await;
    let other = host.holder().await.unwrap();
    assert_eq!((other.backup_id, other.run_id.as_str()), (1, "optimize.eu.run"));
    assert_eq!(host.service.verifications.get("1").await.unwrap().state, VerificationState::None);
    assert_eq!(host.service.verifications.in_use(), [] as [BackupId; 0]);
    let refusal = host.verify("1").await.unwrap_err();
    assert!(refusal.to_string().contains("backup 1 (run optimize.eu.run)"), "{refusal}");

    // Nobody is asked whose it was when it shows no sign of life.
    sleep(Duration::from_secs(ABANDONED_AFTER + INTERVAL)).await;
    assert_eq!(scratch(&cluster), [] as [String; 0]);
    let run_id = host.verify("1").await.unwrap();
    assert!(run_id.starts_with("optimize."), "{run_id}");
    assert_eq!(host.service.verifications.get("1").await.unwrap().state, VerificationState::InProgress);
    assert_eq!(host.verified("1").await.state, VerificationState::Passed);
}

/// A defect of the host must not leave a verification behind that counts as driven for ever.
#[tokio::test(start_paused = true)]
async fn one_that_a_panic_ends_is_cleared_as_one_of_a_killed_host() {
    let (cluster, host) = with_backup().await;
    host.adopt_forever();
    host.network.fail("POST _restore", 1, Fault::Panic);
    host.verify("1").await.unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(host.service.verifications.driven(), None);
    assert!(!scratch(&cluster).is_empty());
    sleep(Duration::from_secs(ABANDONED_AFTER + 2 * INTERVAL)).await;
    assert_eq!(scratch(&cluster), [] as [String; 0]);
}

/// For the command that works in a process of its own: nobody else would clear.
#[tokio::test(start_paused = true)]
async fn whoever_waits_takes_over_from_one_that_is_dead_and_from_no_other() {
    let (cluster, killed) = with_backup().await;
    cluster.engine.restore_within(Duration::from_secs(3600));
    killed.verify_and_crash(2).await;
    let host = TestHost::new(&cluster);
    let begin = Instant::now();
    assert!(host.service.verifications.take_over(false).await.unwrap());
    assert!((90..100).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    assert_eq!(scratch(&cluster), [] as [String; 0]);

    killed.verify("1").await.unwrap();
    assert!(!host.service.verifications.take_over(false).await.unwrap(), "it lives");
    assert!(scratch(&cluster).contains(&LOCK.to_owned()));
    killed.service.verifications.shut_down().await;

    host.verify_and_crash(1).await;
    let begin = Instant::now();
    assert!(host.service.verifications.take_over(true).await.unwrap());
    assert_eq!((begin.elapsed().as_secs(), scratch(&cluster)), (0, Vec::new()));
}
