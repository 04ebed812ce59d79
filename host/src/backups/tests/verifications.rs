mod faults;

use backup_actuator::VerificationState;
use backup_core::RetentionRules;
use backup_core::verification::scratch::{LOCK, is_scratch};

use super::*;
use crate::backups::Left;
use crate::policy::PolicyCalls;
use crate::sandbox::verifications::{CheckOutcome, VerificationHolder, VerificationRun, VerificationStep};

/// How long a verification without a sign of life is waited for.
const ABANDONED_AFTER: u64 = 90;
/// How often a host looks, at least.
const INTERVAL: u64 = 40;

/// All indices of verifications, the lock among them.
fn scratch(cluster: &Cluster) -> Vec<String> {
    cluster.engine.indices().into_keys().filter(|name| is_scratch(name)).collect()
}

/// An engine with a backup, and the host that has made it.
async fn with_backup() -> (Arc<Cluster>, TestHost) {
    let (cluster, host) = set_up();
    host.complete(1).await;
    (cluster, host)
}

impl TestHost {
    async fn verify(&self, id: &str) -> Result<String, CallError> {
        self.service.begin_verification(id).await
    }

    /// Waits until this host verifies nothing any more.
    async fn verified(&self, id: &str) -> Verification {
        let ended = async {
            while self.service.verifications.driven().is_some() {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(Duration::from_secs(30 * 24 * 60 * 60), ended).await.expect("the verification ends");
        self.service.verifications.get(id).await.unwrap()
    }

    fn calls(&self) -> PolicyCalls {
        self.service.policies.calls()
    }

    /// Begins a verification, takes some steps, and is no more.
    async fn verify_and_crash(&self, steps: usize) -> VerificationRun {
        let calls = self.calls();
        let mut run = calls.begin_verification("1").await.unwrap();
        for _ in 0..steps {
            let VerificationStep { run: next, again_in, .. } = calls.advance_verification(&run).await.unwrap();
            run = next;
            sleep(Duration::from_millis(again_in.expect("it is not the last step"))).await;
        }
        run
    }

    async fn holder(&self) -> Option<VerificationHolder> {
        self.calls().verification_traces().await.unwrap().holder
    }

    fn outcome(&self, outcome: &str) -> f64 {
        self.metric(&format!("last_verification_timestamp_seconds{{outcome=\"{outcome}\"}}"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_good_backup_passes_and_nothing_is_left() {
    let (cluster, host) = with_backup().await;
    let before = cluster.engine.indices();
    assert_eq!(host.service.verifications.get("1").await.unwrap().state, VerificationState::None);
    let run_id = host.verify("1").await.unwrap();
    assert_eq!(host.service.verifications.get("1").await.unwrap().state, VerificationState::InProgress);

    let verification = host.verified("1").await;
    assert_eq!(verification.state, VerificationState::Passed, "{verification:?}");
    assert_eq!((verification.run_id, verification.failure_reason), (Some(run_id), None));
    assert!(verification.checks.iter().any(|check| check.name == "restored" && check.outcome == CheckOutcome::Passed));
    assert_eq!(cluster.engine.indices(), before);
    assert!(host.outcome("passed") > 0.0 && host.outcome("failed") == 0.0);
}

#[tokio::test(start_paused = true)]
async fn its_progress_never_goes_back() {
    let (cluster, host) = with_backup().await;
    cluster.engine.restore_within(Duration::from_secs(600));
    host.verify("1").await.unwrap();
    let mut done = 0;
    while host.service.verifications.driven().is_some() {
        let told = host.service.verifications.get("1").await.unwrap();
        if told.state == VerificationState::InProgress {
            let now = told.bytes.map_or(0, |bytes| bytes.done);
            assert!(now >= done, "{now} bytes after {done}");
            done = now;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert!(done > 0);
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_is_not_there_is_not_verified() {
    let (_, host) = set_up();
    assert_eq!(code(host.verify("7").await), "backupNotFound");
    assert_eq!(code(host.verify("seven").await), "invalidBackupId");
    assert_eq!(code(host.service.verifications.get("7").await), "backupNotFound");
    assert_eq!(host.service.verifications.driven(), None);
}

/// The outcome is of the backup that was verified, and not of a later one with its ID.
#[tokio::test(start_paused = true)]
async fn a_new_backup_of_the_same_id_is_not_verified_yet() {
    let (_, host) = with_backup().await;
    host.verify("1").await.unwrap();
    assert_eq!(host.verified("1").await.state, VerificationState::Passed);
    host.service.delete("1").await.unwrap();
    sleep(Duration::from_secs(120)).await;
    assert_eq!(code(host.service.verifications.get("1").await), "backupNotFound");
    host.complete(1).await;
    assert_eq!(host.service.verifications.get("1").await.unwrap().state, VerificationState::None);
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time_here_and_in_the_cluster() {
    let (cluster, host) = with_backup().await;
    host.complete(2).await;
    let neighbour = TestHost::new(&cluster);
    cluster.engine.restore_within(Duration::from_secs(600));
    host.verify("1").await.unwrap();
    for id in ["1", "2"] {
        assert_eq!(code(host.verify(id).await), "verificationInProgress");
        assert_eq!(code(neighbour.verify(id).await), "verificationInProgress");
    }
    let told = neighbour.service.verifications.get("1").await.unwrap();
    assert_eq!(
        (told.state, told.run_id),
        (VerificationState::InProgress, host.holder().await.map(|holder| holder.run_id))
    );
    assert_eq!(neighbour.service.verifications.get("2").await.unwrap().state, VerificationState::None);

    assert_eq!(host.verified("1").await.state, VerificationState::Passed);
    assert_eq!(neighbour.service.verifications.get("1").await.unwrap().state, VerificationState::None);
    neighbour.verify("2").await.unwrap();
    assert_eq!(neighbour.verified("2").await.state, VerificationState::Passed);
}

#[tokio::test(start_paused = true)]
async fn meanwhile_the_backup_stays_nothing_is_restored_and_backups_are_made() {
    let (cluster, host) = with_backup().await;
    host.complete(2).await;
    cluster.engine.restore_within(Duration::from_secs(600));
    host.verify("1").await.unwrap();

    assert_eq!(code(host.service.delete("1").await), "verificationInProgress");
    let options = RestoreOptions { rename_prefix: None, overridden: vec!["optimizeIsWriting".to_owned()] };
    assert_eq!(code(host.service.begin_restore("2", options).await), "verificationInProgress");
    let rules = RetentionRules::new(None, None, std::num::NonZeroU32::new(1)).unwrap();
    let retention = Retention::new(Arc::clone(&host.service), rules, Arc::clone(&host.metrics));
    host.complete(3).await;
    retention.pass(None).await.unwrap();
    assert!(cluster.snapshots().contains(&part(1, 1)) && !cluster.snapshots().contains(&part(2, 1)));

    assert_eq!(host.verified("1").await.state, VerificationState::Passed);
    host.service.delete("1").await.unwrap();
    assert!(host.is_gone(1).await);
}

/// Another host's verification is known from the last look.
#[tokio::test(start_paused = true)]
async fn retention_leaves_what_another_host_verifies() {
    let (cluster, host) = with_backup().await;
    host.complete(2).await;
    cluster.engine.restore_within(Duration::from_secs(600));
    host.verify("1").await.unwrap();
    let neighbour = TestHost::new(&cluster);
    neighbour.adopt_forever();
    neighbour.at(1).await;
    let rules = RetentionRules::new(None, None, std::num::NonZeroU32::new(1)).unwrap();
    let retention = Retention::new(Arc::clone(&neighbour.service), rules, Arc::clone(&neighbour.metrics));
    retention.pass(None).await.unwrap();
    assert!(cluster.snapshots().contains(&part(1, 1)));
    assert_eq!(host.verified("1").await.state, VerificationState::Passed);
    sleep(Duration::from_secs(INTERVAL)).await;
    retention.pass(None).await.unwrap();
    assert!(!cluster.snapshots().contains(&part(1, 1)));
}

#[tokio::test(start_paused = true)]
async fn while_it_is_deleted_or_restored_nothing_is_verified() {
    let (cluster, host) = with_backup().await;
    host.network.fail("DELETE camunda_optimize_1_", 1, Fault::Slow(Duration::from_secs(60)));
    host.service.delete("1").await.unwrap();
    assert_eq!(code(host.verify("1").await), "backupBeingDeleted");
    sleep(Duration::from_secs(120)).await;

    host.complete(2).await;
    cluster.engine.restore_within(Duration::from_secs(600));
    let options = RestoreOptions { rename_prefix: None, overridden: vec!["optimizeIsWriting".to_owned()] };
    host.service.begin_restore("2", options).await.unwrap();
    assert_eq!(code(host.verify("2").await), "restoreInProgress");
    assert!(scratch(&cluster).is_empty());
}
