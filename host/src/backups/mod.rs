//! The backup service: calls of the policy, and what goes on after their answers.
//!
//! A run drives a backup to its end after the 202; a deletion is followed to its end after the 204.

mod audit;
mod clock;
mod deletions;
mod overview;
mod restores;
mod retention;
mod runs;
mod schedule;
#[cfg(test)]
mod tests;
mod verifications;

use std::sync::Arc;

use crate::correlation::inherit;
use crate::metrics::Metrics;
use crate::policy::{Policies, PolicyCalls};
use crate::sandbox::CallError;
use crate::sandbox::restores::{RestoreOptions, RestorePlan};
use crate::sandbox::types::{
    Accepted, Backup, BackupId, BackupProgress, BackupsPage, Error, ListQuery, Problem, RunNote,
};
use deletions::PendingDeletion;
use overview::Overview;

pub use clock::ClockCheck;
pub use deletions::{Deletion, Deletions};
pub use restores::{OptimizeUrl, Restores};
pub use retention::{Passed, Plan, Retention};
pub use runs::Runs;
pub use schedule::{LastSlot, Scheduler};
pub use verifications::{Left, Verification, Verifications};

/// Only the host knows of its deletions.
pub(crate) const BEING_DELETED: &str = "backupBeingDeleted";
/// Only the host knows of its restores.
pub(crate) const OF_RESTORES: [&str; 2] = restores::CODES;

pub struct BackupService {
    policies: Arc<Policies>,
    pub runs: Arc<Runs>,
    pub deletions: Arc<Deletions>,
    pub restores: Arc<Restores>,
    pub verifications: Arc<Verifications>,
    pub clock: ClockCheck,
    overview: Arc<Overview>,
}

impl BackupService {
    pub fn new(policies: Arc<Policies>, metrics: &Arc<Metrics>, optimize: Option<OptimizeUrl>) -> Arc<Self> {
        let overview = Overview::new(Arc::clone(&policies), Arc::clone(metrics));
        let runs = Runs::new(Arc::clone(&policies), Arc::clone(metrics), Arc::clone(&overview));
        let deletions = Deletions::new(Arc::clone(&policies), Arc::clone(metrics));
        let restores = Restores::new(Arc::clone(&policies), optimize);
        let verifications = Verifications::new(Arc::clone(&policies), Arc::clone(metrics));
        let clock = ClockCheck::new(Arc::clone(&policies));
        Arc::new(Self { policies, runs, deletions, restores, verifications, clock, overview })
    }

    /// Starts a backup, and drives it to its end in the background.
    ///
    /// # Errors
    /// [`CallError`]: no backup was started.
    pub async fn create(self: &Arc<Self>, id: &str) -> Result<Accepted, CallError> {
        let (service, id) = (Arc::clone(self), id.to_owned());
        detached(async move { service.create_and_drive(&id).await }).await
    }

    /// Resumes backups that nobody drives, except those that are being deleted, clears what verifications have left, compares
    /// the clocks, and counts what is in the repository, until the host stops.
    pub async fn adopt_forever(self: Arc<Self>) {
        tokio::select! {
            () = self.runs.adopt_forever(|id| self.deletions.is_pending(&id.to_string())) => {}
            () = self.verifications.clear_abandoned_forever() => {}
            () = self.clock.check_forever() => {}
            () = self.overview.follow_forever() => {}
        }
    }

    /// Drives a backup that is in progress, unless that is being done here already.
    ///
    /// # Errors
    /// [`CallError`]: there is no such backup, or it cannot be read.
    pub async fn resume(&self, id: &str) -> Result<(), CallError> {
        let calls = self.policies.calls();
        let backup = calls.get(id, self.notes_of(id)).await?;
        self.runs.resume(&backup, calls);
        Ok(())
    }

    async fn create_and_drive(&self, id: &str) -> Result<Accepted, CallError> {
        self.restores.expect_none()?;
        if self.deletions.is_pending(id) {
            return Err(being_deleted(id));
        }
        let calls = self.policies.calls();
        let (accepted, run_id) = calls.create(id, self.notes_of(id)).await?;
        tracing::info!(
            backupId = accepted.backup_id,
            runId = run_id,
            snapshot = accepted.snapshot_name,
            "the search engine accepted part 1"
        );
        // Another host may have deleted an earlier backup of this ID, whose run this host still drives.
        self.runs.stop(accepted.backup_id, None).await;
        // If it is being deleted meanwhile, a part 1 that is gone was not dropped.
        let awaited = (!self.deletions.is_pending(id)).then_some(1);
        self.runs.drive(accepted.backup_id, run_id, awaited, calls);
        Ok(accepted)
    }

    pub async fn get(&self, id: &str) -> Result<Backup, CallError> {
        let (asked, notes) = (id.to_owned(), self.notes_of(id));
        let get = move |calls: PolicyCalls| {
            let (id, notes) = (asked.clone(), notes.clone());
            async move { calls.get(&id, notes).await }
        };
        let backup = self.policies.read("get", Some(id), get).await?;
        self.runs.forget_dropped(std::slice::from_ref(&backup));
        Ok(backup)
    }

    pub async fn progress(&self, id: &str) -> Result<BackupProgress, CallError> {
        let (asked, notes) = (id.to_owned(), self.notes_of(id));
        let progress = move |calls: PolicyCalls| {
            let (id, notes) = (asked.clone(), notes.clone());
            async move { calls.progress(&id, notes).await }
        };
        self.policies.read("progress", Some(id), progress).await
    }

    /// Tells what a restore would do.
    pub async fn plan_restore(&self, id: &str, options: RestoreOptions) -> Result<RestorePlan, CallError> {
        self.restores.plan(id, &options).await
    }

    /// Begins a restore, and drives it to its end in the background, also if the caller hangs up.
    ///
    /// # Errors
    /// [`CallError`]: nothing was changed.
    pub async fn begin_restore(self: &Arc<Self>, id: &str, options: RestoreOptions) -> Result<(), CallError> {
        let (service, id) = (Arc::clone(self), id.to_owned());
        detached(async move {
            let obstacle = || {
                let deletion = service.deletions.is_pending(&id).then(|| being_deleted(&id));
                deletion.or_else(|| service.verifications.expect_none().err())
            };
            service.restores.begin(&id, &options, obstacle).await
        })
        .await
    }

    /// Begins a verification, and drives it to its end in the background, also if the caller hangs up. Returns its run.
    ///
    /// # Errors
    /// [`CallError`]: it was not begun.
    pub async fn begin_verification(self: &Arc<Self>, id: &str) -> Result<String, CallError> {
        let (service, id) = (Arc::clone(self), id.to_owned());
        detached(async move {
            let obstacle = || {
                service.restores.expect_none()?;
                if service.deletions.is_pending(&id) { Err(being_deleted(&id)) } else { Ok(()) }
            };
            service.verifications.begin(&id, obstacle).await
        })
        .await
    }

    /// The installation that backups are made of, and restored in.
    pub fn index_prefix(&self) -> String {
        self.policies.index_prefix().to_owned()
    }

    pub async fn list(&self, query: ListQuery) -> Result<BackupsPage, CallError> {
        let notes = self.runs.notes();
        let list = move |calls: PolicyCalls| {
            let (query, notes) = (query.clone(), notes.clone());
            async move { calls.list(&query, notes).await }
        };
        let page = self.policies.read("list", None, list).await?;
        self.runs.forget_dropped(&page.backups);
        if page.foreign > 0 {
            tracing::info!(
                foreign = page.foreign,
                "left out of the list: snapshots of other software or of another installation"
            );
        }
        Ok(page)
    }

    /// Stops the run, if there is one, and submits the deletion of all snapshots of that ID. Concurrent callers get the
    /// outcome of the first one's submission.
    ///
    /// # Errors
    /// [`CallError`]: nothing was deleted, and the run goes on.
    pub async fn delete(self: &Arc<Self>, id: &str) -> Result<(), CallError> {
        self.delete_runs(id, None).await
    }

    /// The same of what these runs have written, if they are given: a new backup of that ID stays.
    async fn delete_runs(self: &Arc<Self>, id: &str, only_runs: Option<&[String]>) -> Result<(), CallError> {
        loop {
            match self.deletions.begin(id) {
                Ok(deletion) => {
                    let (service, only_runs) = (Arc::clone(self), only_runs.map(<[String]>::to_vec));
                    return detached(async move { service.stop_and_delete(deletion, only_runs).await }).await;
                }
                // A panic ended the other submission: this caller submits again.
                Err(submission) => {
                    if let Some(outcome) = submission.outcome().await {
                        return outcome;
                    }
                }
            }
        }
    }

    async fn stop_and_delete(
        &self,
        deletion: PendingDeletion,
        only_runs: Option<Vec<String>>,
    ) -> Result<(), CallError> {
        let unused = self.restores.expect_none().and_then(|()| self.verifications.expect_none_of(&deletion.id));
        if let Err(error) = unused {
            deletion.not_submitted(error.clone());
            return Err(error);
        }
        let run = canonical(&deletion.id);
        let stopped = match run {
            Some(id) => self.runs.stop(id, only_runs.as_deref()).await.map(|run_id| (id, run_id)),
            None => None,
        };
        let calls = self.policies.calls();
        match calls.delete(&deletion.id, only_runs.as_deref()).await {
            Ok((deleted, outstanding)) => {
                run.inspect(|&id| self.runs.forget(id, only_runs.as_deref()));
                tokio::spawn(inherit(deletion.submitted().follow(deleted, outstanding)));
                Ok(())
            }
            Err(error) => {
                deletion.not_submitted(error.clone());
                if let Some((id, run_id)) = stopped {
                    self.runs.drive(id, run_id, None, calls);
                }
                Err(error)
            }
        }
    }

    fn notes_of(&self, id: &str) -> Vec<RunNote> {
        canonical(id).map(|id| self.runs.notes_of(id)).unwrap_or_default()
    }
}

/// Runs `work` to its end, also when the caller hangs up.
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, CallError>> + Send + 'static,
) -> Result<T, CallError> {
    tokio::spawn(inherit(work)).await.unwrap_or_else(|ended| match ended.try_into_panic() {
        // A defect of the host: the router answers `internalError`.
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(cancelled) => Err(CallError::Internal(cancelled.to_string())),
    })
}

/// The ID, if `id` is its canonical spelling. For any other text, which a policy may accept, no run is stopped.
fn canonical(id: &str) -> Option<BackupId> {
    id.parse().ok().filter(|parsed: &BackupId| parsed.to_string() == id)
}

fn being_deleted(id: &str) -> CallError {
    CallError::Refused(Error::Conflict(Problem {
        code: BEING_DELETED.to_owned(),
        message: format!(
            "the backup with ID {id} is still being deleted; wait until that is done, or choose another ID"
        ),
        detail: None,
    }))
}

/// Why a call failed, with the search engine's own words: they name a privilege that its user lacks.
fn reason_of(error: &CallError) -> String {
    let detail = match error {
        CallError::Refused(error) => error.problem().detail.clone(),
        _ => None,
    };
    detail.map_or_else(|| error.to_string(), |detail| format!("{error}: {detail}"))
}
