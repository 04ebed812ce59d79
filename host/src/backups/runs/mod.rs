//! Driving backups to their end.
//!
//! A run is a loop over the policy's `advance`. Its state is in the snapshots: it can be stopped at any moment, and another
//! host, or this one after a restart, resumes it.

mod adoption;
mod driver;
mod run;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, error_span};

use crate::backups::overview::Overview;
use crate::clock;
use crate::correlation::{self, Correlation};
use crate::metrics::Metrics;
use crate::policy::{Policies, PolicyCalls};
use crate::sandbox::types::{Backup, BackupId, RunNote};
use run::{Driver, Run};

/// How many runs are kept, also after their end, for what the engine has no trace of.
const MAX_RUNS: usize = 1000;

/// The runs of this host, and what it remembers of those that ended.
pub struct Runs {
    policies: Arc<Policies>,
    metrics: Arc<Metrics>,
    overview: Arc<Overview>,
    runs: Mutex<BTreeMap<BackupId, Run>>,
    tasks: TaskTracker,
    stop: CancellationToken,
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
            tracing::error!(
                backupId = self.id,
                runId = self.run_id,
                "a defect of this server interrupted the run; it is resumed soon"
            );
        }
        // By now a new backup may have that ID.
        self.runs.update(self.id, |run| {
            if run.run_id == self.run_id {
                (run.driver, run.since) = (None, Instant::now());
            }
        });
        self.runs.metrics.runs.stopped();
        self.stopped.cancel();
    }
}

impl Runs {
    /// No runs yet.
    pub fn new(policies: Arc<Policies>, metrics: Arc<Metrics>, overview: Arc<Overview>) -> Arc<Self> {
        Arc::new(Self {
            policies,
            metrics,
            overview,
            runs: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Drives a backup until it ends, unless that is being done already. It keeps to these calls,
    /// whatever policy serves meanwhile. `awaited` is the part that the engine is known to have accepted.
    pub fn drive(self: &Arc<Self>, id: BackupId, run_id: String, awaited: Option<u8>, calls: PolicyCalls) {
        let driver = {
            let mut runs = self.lock();
            forget_oldest(&mut runs);
            if self.stop.is_cancelled() || runs.get(&id).is_some_and(|run| run.driver.is_some()) {
                return;
            }
            let refusal = runs.remove(&id).filter(|run| run.run_id == run_id).and_then(|run| run.refusal);
            let driver = Driver { stop: self.stop.child_token(), stopped: CancellationToken::new() };
            runs.insert(id, Run::new(run_id.clone(), driver.clone(), refusal, awaited));
            driver
        };
        self.metrics.runs.started();
        let correlation = correlation::current().unwrap_or_else(|| Correlation::of_work(&run_id));
        // What a step logs says which backup it is of, and which request has begun it; at any level of the log, which a span
        // has to have, too.
        let span = error_span!("run", backupId = id, runId = run_id);
        let driven = Driven { runs: Arc::clone(self), id, run_id, stopped: driver.stopped };
        let work = async move { driver::drive(&driven.runs, id, calls, &driver.stop).await };
        self.tasks.spawn(correlation.scope(work).instrument(span));
    }

    /// Stops driving a backup, and returns when no step of it is under way any more; the run that was
    /// stopped. Whatever vanishes from now on was not dropped. Another run than one of `only`, if that is given, goes on.
    pub async fn stop(&self, id: BackupId, only: Option<&[String]>) -> Option<String> {
        let driven = |run: &Run| Some((run.driver.clone()?, run.run_id.clone()));
        let (driver, run_id) = self.lock().get(&id).filter(|run| is_among(run, only)).and_then(driven)?;
        driver.stop.cancel();
        driver.stopped.cancelled().await;
        self.update(id, |run| run.awaited = None);
        Some(run_id)
    }

    /// Waits until a backup is not driven here, or not any more.
    pub async fn ended(&self, id: BackupId) {
        let driver = self.lock().get(&id).and_then(|run| run.driver.clone());
        if let Some(driver) = driver {
            driver.stopped.cancelled().await;
        }
    }

    /// Forgets what was dropped, where a newer backup has its ID.
    pub fn forget_dropped(&self, backups: &[Backup]) {
        let mut runs = self.lock();
        if runs.values().all(|run| run.dropped.is_none()) {
            return;
        }
        for backup in backups {
            let is_dropped = |run: &Run| run.dropped.is_some() && Some(&run.run_id) != backup.run_id.as_ref();
            if !backup.details.is_empty() && runs.get(&backup.backup_id).is_some_and(is_dropped) {
                runs.remove(&backup.backup_id);
            }
        }
    }

    /// The backups of which the engine has dropped a part, with the reason, until they are deleted or their IDs used again.
    pub fn dropped(&self) -> BTreeMap<BackupId, String> {
        self.lock().iter().filter_map(|(&id, run)| Some((id, run.dropped.clone()?))).collect()
    }

    /// Forgets a backup that was deleted, or of it what these runs have written.
    pub fn forget(&self, id: BackupId, only: Option<&[String]>) {
        let mut runs = self.lock();
        if runs.get(&id).is_some_and(|run| is_among(run, only)) {
            runs.remove(&id);
        }
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

    /// How long ago the oldest backup that is driven here was begun. 0 if there is none.
    pub fn oldest_age(&self) -> Duration {
        let runs = self.lock();
        let begun = runs.values().filter(|run| run.driver.is_some()).filter_map(|run| run.begun).min();
        begun.map_or(Duration::ZERO, age)
    }

    /// Whether this host has driven that run.
    fn knows(&self, id: BackupId, run_id: &str) -> bool {
        self.lock().get(&id).is_some_and(|run| run.run_id == run_id)
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

fn is_among(run: &Run, only: Option<&[String]>) -> bool {
    only.is_none_or(|only| only.contains(&run.run_id))
}

/// How long ago that was, by this host's clock.
fn age(begun: Duration) -> Duration {
    clock::since_epoch().saturating_sub(begun)
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
    use std::time::Duration;

    use super::*;

    fn run(driver: Option<Driver>, since: Instant) -> Run {
        let new = Run::new("run".to_owned(), Driver::default(), None, None);
        Run { driver, ended: true, since, ..new }
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
