//! The backup service: calls of the policy, and what goes on after their answers.
//!
//! A run drives a backup to its end after the 202; a deletion is followed to its end after the 204.

mod deletions;
mod runs;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::metrics::Metrics;
use crate::policy::{Policies, PolicyCalls};
use crate::sandbox::CallError;
use crate::sandbox::types::{Accepted, Backup, BackupId, BackupsPage, Error, Problem, RunNote};
use deletions::Begun;

pub use deletions::{Deletion, Deletions};
pub use runs::Runs;

/// The code of the one refusal that is the host's and not the policy's: only the host knows of its deletions.
pub(crate) const BEING_DELETED: &str = "backupBeingDeleted";

pub struct BackupService {
    policies: Arc<Policies>,
    pub runs: Arc<Runs>,
    pub deletions: Arc<Deletions>,
}

impl BackupService {
    pub fn new(policies: Arc<Policies>, metrics: &Arc<Metrics>) -> Arc<Self> {
        let runs = Runs::new(Arc::clone(&policies), Arc::clone(metrics));
        let deletions = Deletions::new(Arc::clone(&policies), Arc::clone(metrics));
        Arc::new(Self { policies, runs, deletions })
    }

    /// Starts a backup, and drives it on after this returns, even if nobody waits for that.
    ///
    /// # Errors
    /// [`CallError`]: no backup was started.
    pub async fn create(self: &Arc<Self>, id: &str) -> Result<Accepted, CallError> {
        let (service, id) = (Arc::clone(self), id.to_owned());
        to_the_end(async move { service.create_and_drive(&id).await }).await
    }

    /// Goes on with backups that nobody drives, until the host stops; not with those that it is deleting.
    pub async fn adopt_forever(self: Arc<Self>) {
        self.runs.adopt_forever(|id| self.deletions.is_pending(&id.to_string())).await;
    }

    async fn create_and_drive(&self, id: &str) -> Result<Accepted, CallError> {
        if self.deletions.is_pending(id) {
            return Err(being_deleted(id));
        }
        let calls = self.policies.calls();
        let (accepted, run_id) = calls.create(id, self.notes_of(id)).await?;
        tracing::info!(
            backup = accepted.backup_id,
            snapshot = accepted.snapshot_name,
            "the search engine accepted part 1"
        );
        // A run of that number that was deleted elsewhere has nothing to do with this one.
        self.runs.stop(accepted.backup_id).await;
        self.runs.drive(accepted.backup_id, run_id, calls);
        Ok(accepted)
    }

    /// Tells one backup.
    pub async fn get(&self, id: &str) -> Result<Backup, CallError> {
        let (asked, notes) = (id.to_owned(), self.notes_of(id));
        let get = move |calls: PolicyCalls| {
            let (id, notes) = (asked.clone(), notes.clone());
            async move { calls.get(&id, notes).await }
        };
        self.policies.read("get", Some(id), get).await
    }

    /// Tells every backup.
    pub async fn list(&self) -> Result<BackupsPage, CallError> {
        let notes = self.runs.notes();
        let list = move |calls: PolicyCalls| {
            let notes = notes.clone();
            async move { calls.list(notes).await }
        };
        let page = self.policies.read("list", None, list).await?;
        if page.foreign > 0 {
            tracing::info!(foreign = page.foreign, "left foreign snapshots out of the list");
        }
        Ok(page)
    }

    /// Stops the run, if there is one, and submits the deletion of all its snapshots, even if nobody waits
    /// for that. Of several callers all get the outcome of the first one's submission.
    ///
    /// # Errors
    /// [`CallError`]: nothing was deleted, and the run goes on.
    pub async fn delete(self: &Arc<Self>, id: &str) -> Result<(), CallError> {
        loop {
            match self.deletions.begin(id) {
                Ok(begun) => {
                    let service = Arc::clone(self);
                    return to_the_end(async move { service.stop_and_delete(begun).await }).await;
                }
                // Of one that a panic ended there is no outcome: this caller submits it anew.
                Err(submission) => {
                    if let Some(outcome) = submission.outcome().await {
                        return outcome;
                    }
                }
            }
        }
    }

    async fn stop_and_delete(&self, begun: Begun) -> Result<(), CallError> {
        let number = canonical(&begun.id);
        let stopped = match number {
            Some(number) => self.runs.stop(number).await.map(|run_id| (number, run_id)),
            None => None,
        };
        let calls = self.policies.calls();
        match calls.delete(&begun.id, None).await {
            Ok((deleted, outstanding)) => {
                number.inspect(|&number| self.runs.forget(number));
                tokio::spawn(begun.submitted().follow(deleted, outstanding));
                Ok(())
            }
            Err(error) => {
                begun.withdraw(error.clone());
                if let Some((number, run_id)) = stopped {
                    self.runs.drive(number, run_id, calls);
                }
                Err(error)
            }
        }
    }

    fn notes_of(&self, id: &str) -> Vec<RunNote> {
        canonical(id).map(|id| self.runs.notes_of(id)).unwrap_or_default()
    }
}

/// Runs what must not stop halfway when the caller hangs up.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, CallError>> + Send + 'static,
) -> Result<T, CallError> {
    tokio::spawn(work).await.unwrap_or_else(|ended| match ended.try_into_panic() {
        // Nothing that a policy did: the router answers `internalError`.
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(cancelled) => Err(CallError::Trapped(cancelled.to_string())),
    })
}

/// The number of a run, if this text is how it is written: what else a policy takes for an id, a run
/// must not be stopped for.
fn canonical(id: &str) -> Option<BackupId> {
    id.parse().ok().filter(|number: &BackupId| number.to_string() == id)
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
