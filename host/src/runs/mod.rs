//! Driving backups to their end.
//!
//! A run is a loop over the policy's `advance`. It holds nothing that the engine does not: stopping it
//! at any moment loses nothing, and another host, or this one after a restart, goes on.

mod driver;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::metrics::Metrics;
use crate::operations::Operations;
use crate::policies::Policies;
use crate::policy::CallError;
use crate::policy::types::{BackupId, BackupState, RunNote};

/// How often backups are looked for that nobody drives.
const ADOPTION_INTERVAL: Duration = Duration::from_secs(30);
/// How many runs are remembered after their end.
const REMEMBERED: usize = 1000;

/// The runs of this host, and what it remembers of those that ended.
pub struct Runs {
    policies: Arc<Policies>,
    metrics: Arc<Metrics>,
    runs: Mutex<BTreeMap<BackupId, Run>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// One run.
struct Run {
    /// Its identity, as in the metadata of its snapshots.
    run_id: String,
    /// While it is driven: how to stop it.
    driver: Option<Driver>,
    /// The engine's last refusal of part 2.
    refusal: Option<String>,
    /// Why the last step failed, while it is being tried again.
    trouble: Option<String>,
    /// It came to its end here.
    ended: bool,
}

/// The two ends of stopping a driver.
#[derive(Clone, Default)]
struct Driver {
    stop: CancellationToken,
    stopped: CancellationToken,
}

impl Runs {
    /// No runs yet.
    #[must_use]
    pub fn new(policies: Arc<Policies>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            policies,
            metrics,
            runs: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Drives a backup until it ends, unless that is being done already. It keeps to these operations,
    /// whatever policy serves meanwhile.
    pub fn drive(self: &Arc<Self>, id: BackupId, run_id: String, operations: Operations) {
        let driver = {
            let mut runs = self.lock();
            forget_oldest(&mut runs);
            if self.stop.is_cancelled() || runs.get(&id).is_some_and(|run| run.driver.is_some()) {
                return;
            }
            let refusal = runs.remove(&id).filter(|run| run.run_id == run_id).and_then(|run| run.refusal);
            let run = runs.entry(id).or_insert(Run { run_id, driver: None, refusal, trouble: None, ended: false });
            let driver = Driver { stop: self.stop.child_token(), stopped: CancellationToken::new() };
            run.driver.insert(driver).clone()
        };
        self.metrics.run_started();
        let runs = Arc::clone(self);
        self.tasks.spawn(async move {
            let _stopped = driver.stopped.drop_guard();
            driver::drive(&runs, id, operations, &driver.stop).await;
            runs.note(id, |run| run.driver = None);
            runs.metrics.run_stopped();
        });
    }

    /// Stops driving a backup, and returns when no step of it is under way any more; the run that was
    /// stopped.
    pub async fn stop(&self, id: BackupId) -> Option<String> {
        let (driver, run_id) = self.lock().get(&id).and_then(|run| Some((run.driver.clone()?, run.run_id.clone())))?;
        driver.stop.cancel();
        driver.stopped.cancelled().await;
        Some(run_id)
    }

    /// Forgets a backup that was deleted.
    pub fn forget(&self, id: BackupId) {
        self.lock().remove(&id);
    }

    /// What the policy should know of runs that were driven here.
    #[must_use]
    pub fn notes(&self) -> Vec<RunNote> {
        let note = |(&backup_id, run): (&BackupId, &Run)| RunNote {
            backup_id,
            run_id: run.run_id.clone(),
            ended: run.ended,
            refusal: run.refusal.clone(),
        };
        self.lock().iter().map(note).collect()
    }

    /// The backups that are driven here, each with what keeps it from going on at the moment.
    #[must_use]
    pub fn driven(&self) -> BTreeMap<BackupId, Option<String>> {
        let runs = self.lock();
        let driven = runs.iter().filter(|(_, run)| run.driver.is_some());
        driven.map(|(&id, run)| (id, run.trouble.clone().or_else(|| run.refusal.clone()))).collect()
    }

    /// Looks for backups that are in progress and driven by nobody here, at once and then regularly,
    /// until the host stops: a host that was killed is replaced by its restart or by its neighbour.
    /// `is_abandoned` tells which of them are not to be gone on with.
    pub async fn adopt_forever(self: &Arc<Self>, is_abandoned: impl Fn(BackupId) -> bool) {
        let mut interval = tokio::time::interval(ADOPTION_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut trouble = None;
        while self.stop.run_until_cancelled(interval.tick()).await.is_some() {
            let found = self.adopt(&is_abandoned).await.err().map(|error| error.to_string());
            if let Some(error) = found.as_ref().filter(|_| found != trouble) {
                tracing::warn!(error, "cannot look for backups that are in progress");
            }
            trouble = found;
        }
    }

    async fn adopt(self: &Arc<Self>, is_abandoned: &impl Fn(BackupId) -> bool) -> Result<(), CallError> {
        let operations = self.policies.operations();
        let page = operations.list(self.notes()).await?;
        for backup in page.backups {
            let Some(run_id) = backup.run_id.filter(|_| backup.state == BackupState::InProgress) else { continue };
            if !self.is_driven(backup.backup_id) && !is_abandoned(backup.backup_id) {
                tracing::info!(backup = backup.backup_id, "going on with a backup that is in progress");
                self.drive(backup.backup_id, run_id, operations.clone());
            }
        }
        Ok(())
    }

    fn is_driven(&self, id: BackupId) -> bool {
        self.lock().get(&id).is_some_and(|run| run.driver.is_some())
    }

    /// Stops all runs and waits until no step is under way.
    pub async fn shut_down(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn note(&self, id: BackupId, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.lock().get_mut(&id) {
            change(run);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BackupId, Run>> {
        // The map is consistent between any two statements that change it.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_oldest(runs: &mut BTreeMap<BackupId, Run>) {
    while runs.len() >= REMEMBERED {
        let Some(id) = runs.iter().find(|(_, run)| run.driver.is_none()).map(|(&id, _)| id) else { return };
        runs.remove(&id);
    }
}
