//! Driving backups to their end.
//!
//! A run is a loop over the policy's `advance`. Its state is in the snapshots: it can be stopped at any moment, and another
//! host, or this one after a restart, resumes it.

mod driver;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::elasticsearch::ListedSnapshot;
use crate::metrics::Metrics;
use crate::policy::{Policies, PolicyCalls};
use crate::sandbox::types::{Backup, BackupId, BackupState, Error, RunNote, SnapshotState};
use crate::sandbox::{CallError, Purpose};

/// How often backups are looked for that nobody drives.
const ADOPTION_INTERVAL: Duration = Duration::from_secs(30);
/// How many runs are kept, also after their end, for what the engine has no trace of.
const MAX_RUNS: usize = 1000;

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
    ended: bool,
    /// When it began to be driven, or ceased to be.
    since: Instant,
}

/// The two ends of stopping a driver.
#[derive(Clone, Default)]
struct Driver {
    stop: CancellationToken,
    stopped: CancellationToken,
}

impl Run {
    fn note(&self, backup_id: BackupId) -> RunNote {
        RunNote { backup_id, run_id: self.run_id.clone(), ended: self.ended, refusal: self.refusal.clone() }
    }
}

/// Kept by the task that drives a run. However the task ends, by a panic too, the run is not driven any more.
struct Driven {
    runs: Arc<Runs>,
    id: BackupId,
    run_id: String,
    stopped: CancellationToken,
}

impl Drop for Driven {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(backup = self.id, "a defect of this server interrupted the run; it is resumed soon");
        }
        // By now a new backup may have that ID.
        self.runs.update(self.id, |run| {
            if run.run_id == self.run_id {
                (run.driver, run.since) = (None, Instant::now());
            }
        });
        self.runs.metrics.run_stopped();
        self.stopped.cancel();
    }
}

impl Runs {
    /// No runs yet.
    pub fn new(policies: Arc<Policies>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            policies,
            metrics,
            runs: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Drives a backup until it ends, unless that is being done already. It keeps to these calls,
    /// whatever policy serves meanwhile.
    pub fn drive(self: &Arc<Self>, id: BackupId, run_id: String, calls: PolicyCalls) {
        let driver = {
            let mut runs = self.lock();
            forget_oldest(&mut runs);
            if self.stop.is_cancelled() || runs.get(&id).is_some_and(|run| run.driver.is_some()) {
                return;
            }
            let refusal = runs.remove(&id).filter(|run| run.run_id == run_id).and_then(|run| run.refusal);
            let driver = Driver { stop: self.stop.child_token(), stopped: CancellationToken::new() };
            let run = Run {
                run_id: run_id.clone(),
                driver: Some(driver.clone()),
                refusal,
                trouble: None,
                ended: false,
                since: Instant::now(),
            };
            runs.insert(id, run);
            driver
        };
        self.metrics.run_started();
        let driven = Driven { runs: Arc::clone(self), id, run_id, stopped: driver.stopped };
        self.tasks.spawn(async move { driver::drive(&driven.runs, id, calls, &driver.stop).await });
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

    /// What the policy should know of the runs that were driven here.
    pub fn notes(&self) -> Vec<RunNote> {
        self.lock().iter().map(|(&id, run)| run.note(id)).collect()
    }

    /// The same of one backup.
    pub fn notes_of(&self, id: BackupId) -> Vec<RunNote> {
        self.lock().get(&id).map(|run| run.note(id)).into_iter().collect()
    }

    /// The backups that are driven here, each with what keeps it from going on at the moment.
    pub fn driven(&self) -> BTreeMap<BackupId, Option<String>> {
        let runs = self.lock();
        let driven = runs.iter().filter(|(_, run)| run.driver.is_some());
        driven.map(|(&id, run)| (id, run.trouble.clone().or_else(|| run.refusal.clone()))).collect()
    }

    /// Looks for backups that are in progress and driven by nobody here, at once and then regularly, until the host stops: a
    /// host that was killed is replaced by its restart or by its neighbour. Those for which `is_being_deleted` holds are not
    /// resumed.
    pub async fn adopt_forever(self: &Arc<Self>, is_being_deleted: impl Fn(BackupId) -> bool) {
        let mut interval = tokio::time::interval(ADOPTION_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut trouble = None;
        let (mut ended, mut generation) = (BTreeMap::new(), 0);
        while self.stop.run_until_cancelled(interval.tick()).await.is_some() {
            // Another policy may judge otherwise.
            let serving = self.policies.serving().number;
            if std::mem::replace(&mut generation, serving) != serving {
                ended.clear();
            }
            let found = self.adopt(&is_being_deleted, &mut ended).await.err();
            if let Some(error) = found.as_ref().filter(|_| found != trouble) {
                tracing::warn!(error, "cannot look for backups that are in progress");
            }
            trouble = found;
        }
    }

    /// Reads in full only what names and states do not show to be finished, and of that what has ended only once.
    async fn adopt(
        self: &Arc<Self>,
        is_being_deleted: &impl Fn(BackupId) -> bool,
        ended: &mut BTreeMap<BackupId, Vec<ListedSnapshot>>,
    ) -> Result<(), String> {
        let unfinished = self.policies.unfinished().await.map_err(|error| error.to_string())?;
        ended.retain(|id, snapshots| unfinished.get(id) == Some(snapshots));
        for (id, snapshots) in unfinished {
            if ended.contains_key(&id) || self.is_driven(id) || self.stop.is_cancelled() {
                continue;
            }
            let calls = self.policies.calls();
            // It is no mark against the policy, whatever becomes of it, and waits for no caller.
            match calls.for_purpose(Purpose::Inspection).get(&id.to_string(), self.notes_of(id)).await {
                // A deletion may have begun meanwhile.
                Ok(Backup { state: BackupState::InProgress, run_id: Some(run_id), .. }) if !is_being_deleted(id) => {
                    tracing::info!(backup = id, "resuming a backup that is in progress");
                    self.drive(id, run_id, calls);
                }
                Ok(backup) if may_change(&backup) => {}
                Ok(_) | Err(CallError::Refused(Error::NotFound(_))) => drop(ended.insert(id, snapshots)),
                Err(error) => return Err(error.to_string()),
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

    fn update(&self, id: BackupId, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.lock().get_mut(&id) {
            change(run);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BackupId, Run>> {
        // The map is consistent between any two statements that change it.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the state can become another one although names and states stay: a storage or a node may come back.
fn may_change(backup: &Backup) -> bool {
    matches!(backup.state, BackupState::InProgress | BackupState::Incompatible)
        || backup.details.iter().any(|snapshot| snapshot.state == SnapshotState::Unreadable)
}

fn forget_oldest(runs: &mut BTreeMap<BackupId, Run>) {
    while runs.len() >= MAX_RUNS {
        let ended = runs.iter().filter(|(_, run)| run.driver.is_none());
        let Some((&id, _)) = ended.min_by_key(|(_, run)| run.since) else { return };
        runs.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(driver: Option<Driver>, since: Instant) -> Run {
        Run { run_id: "run".to_owned(), driver, refusal: None, trouble: None, ended: true, since }
    }

    /// IDs are often times, but nobody has to count upwards.
    #[test]
    fn the_run_that_ended_first_is_forgotten_whatever_its_id() {
        let begin = Instant::now();
        let at = |seconds: BackupId| begin + Duration::from_secs(seconds);
        let ids = |runs: &BTreeMap<BackupId, Run>| runs.keys().copied().collect::<Vec<_>>();
        let old = 1_000_000..1_000_000 + MAX_RUNS as BackupId;
        let mut runs: BTreeMap<BackupId, Run> = old.clone().map(|id| (id, run(None, at(id - old.start)))).collect();
        runs.get_mut(&old.start).unwrap().driver = Some(Driver::default());

        for (n, id) in [1, 2].into_iter().enumerate() {
            forget_oldest(&mut runs);
            runs.insert(id, run(None, at(10_000 + n as u64)));
        }

        let expected: Vec<BackupId> = [1, 2, old.start].into_iter().chain(old.skip(3)).collect();
        assert_eq!(ids(&runs), expected, "the one that is driven stays");
    }
}
