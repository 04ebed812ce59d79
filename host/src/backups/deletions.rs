//! Deletions that go on after their 204.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backup_core::{Backoff, LEFTOVER_CHECK_DELAYS};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::canonical;
use crate::elasticsearch::{Outstanding, Response};
use crate::metrics::Metrics;
use crate::policy::Policies;
use crate::sandbox::CallError;
use crate::sandbox::types::{Deleted, Error};

/// The deletions of this host.
pub struct Deletions {
    policies: Arc<Policies>,
    metrics: Arc<Metrics>,
    backups: Mutex<BTreeMap<String, Deletion>>,
    /// One is not pending any more.
    changed: Notify,
}

/// What is to be told of a deletion.
#[derive(Clone, Debug)]
pub enum Deletion {
    /// It is being submitted, or the engine is at it.
    Pending(Submission),
    /// The engine did not do it.
    Failed(Failure),
}

impl Deletion {
    fn is_pending(&self) -> bool {
        matches!(self, Self::Pending(_))
    }

    fn is_outdated(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.at.elapsed() > FAILURE_TOLD_FOR)
    }
}

/// Why and when a deletion failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The engine's own reason, or what came in its place.
    pub reason: String,
    at: Instant,
}

impl Failure {
    fn now(reason: String) -> Self {
        Self { reason, at: Instant::now() }
    }
}

/// How long a failure is told, unless a later deletion of that ID succeeds.
const FAILURE_TOLD_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether a deletion could be submitted, for all who ask for it.
#[derive(Clone, Debug)]
pub struct Submission(watch::Receiver<Option<Result<(), CallError>>>);

impl Submission {
    /// Waits until it is known. `None`: it never will be, because a panic ended it.
    pub(crate) async fn outcome(mut self) -> Option<Result<(), CallError>> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// A deletion of this host. When this is dropped, also by a panic, the deletion is no longer pending.
pub(crate) struct PendingDeletion {
    deletions: Arc<Deletions>,
    /// The backup, as the caller wrote it.
    pub(crate) id: String,
    submission: watch::Sender<Option<Result<(), CallError>>>,
    /// Of an earlier deletion of the same ID.
    previous_failure: Option<Failure>,
    phase: Phase,
}

#[derive(PartialEq, Eq)]
enum Phase {
    Submitting,
    Submitted,
    Ended,
}

impl PendingDeletion {
    /// It could not be submitted: the callers get this error, and health shows what it showed before.
    pub(crate) fn not_submitted(mut self, error: CallError) {
        self.end_by_drop();
        self.submission.send_replace(Some(Err(error)));
    }

    /// The engine has the request. The caller [follows](Self::follow) it.
    pub(crate) fn submitted(mut self) -> Self {
        self.phase = Phase::Submitted;
        self.submission.send_replace(Some(Ok(())));
        self
    }

    /// Waits until the engine has ended it, then looks several times for snapshots that another host has added.
    pub(crate) async fn follow(self, deleted: Deleted, outstanding: Option<Outstanding>) {
        let (deletions, id) = (Arc::clone(&self.deletions), self.id.clone());
        let outcome = deletions.wait_for_end(&id, &deleted.runs, outstanding).await;
        let failure = self.end(&deleted, outcome);
        if deleted.runs.is_empty() {
            return;
        }
        for delay in std::iter::once(Duration::ZERO).chain(LEFTOVER_CHECK_DELAYS) {
            tokio::time::sleep(delay).await;
            let is_gone = deletions.delete_leftovers(&id, &deleted.runs).await;
            if let Some(failure) = failure.as_ref().filter(|_| is_gone) {
                deletions.clear_failure(&id, failure);
            }
        }
    }

    fn end(mut self, deleted: &Deleted, outcome: Result<(), String>) -> Option<Failure> {
        let (id, snapshots) = (canonical(&self.id), deleted.snapshots.join(", "));
        match &outcome {
            Ok(()) if snapshots.is_empty() => tracing::info!(backupId = id, "there was nothing to delete"),
            Ok(()) => tracing::info!(backupId = id, snapshots, "the backup is deleted"),
            Err(reason) => {
                tracing::error!(backupId = id, snapshots, reason, "the search engine did not delete the backup")
            }
        }
        let failure = outcome.err().map(Failure::now);
        self.phase = Phase::Ended;
        self.deletions.ended(&self.id, failure.clone());
        failure
    }

    fn end_by_drop(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Submitting => self.deletions.replace(&self.id, self.previous_failure.take()),
            Phase::Submitted => {
                let reason = "a defect of this server interrupted it; whether the search engine did it, a GET tells";
                tracing::error!(backupId = canonical(&self.id), reason, "the deletion is not followed any more");
                self.deletions.ended(&self.id, Some(Failure::now(reason.to_owned())));
            }
            Phase::Ended => {}
        }
    }
}

impl Drop for PendingDeletion {
    fn drop(&mut self) {
        self.end_by_drop();
    }
}

impl Deletions {
    pub fn new(policies: Arc<Policies>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { policies, metrics, backups: Mutex::default(), changed: Notify::new() })
    }

    /// Marks a backup as being deleted, for the caller to submit.
    ///
    /// # Errors
    /// It is already; whoever was first submits it.
    pub(crate) fn begin(self: &Arc<Self>, id: &str) -> Result<PendingDeletion, Submission> {
        let mut backups = self.lock();
        if let Some(Deletion::Pending(submission)) = backups.get(id) {
            return Err(submission.clone());
        }
        let (submission, receiver) = watch::channel(None);
        let previous_failure = match backups.insert(id.to_owned(), Deletion::Pending(Submission(receiver))) {
            Some(Deletion::Failed(failure)) => Some(failure),
            _ => None,
        };
        self.count(&backups);
        Ok(PendingDeletion {
            deletions: Arc::clone(self),
            id: id.to_owned(),
            submission,
            previous_failure,
            phase: Phase::Submitting,
        })
    }

    /// Whether the engine is still deleting a backup.
    pub(crate) fn is_pending(&self, id: &str) -> bool {
        self.lock().get(id).is_some_and(Deletion::is_pending)
    }

    /// Waits until a backup is not being deleted here, or not any more.
    ///
    /// # Errors
    /// Why the engine did not delete it.
    pub(crate) async fn ended_of(&self, id: &str) -> Result<(), String> {
        loop {
            let changed = self.changed.notified();
            let found = self.lock().get(id).cloned();
            match found {
                None => return Ok(()),
                Some(Deletion::Failed(failure)) => return Err(failure.reason),
                Some(Deletion::Pending(_)) => changed.await,
            }
        }
    }

    /// Every deletion that is pending or failed.
    pub fn all(&self) -> BTreeMap<String, Deletion> {
        self.lock().clone()
    }

    /// Waits until the engine has deleted what these runs wrote, or refuses to.
    ///
    /// If no response comes, the response or the request may be lost: whatever is still there is then deleted again. An
    /// engine that still executes the first request treats the second as the same.
    async fn wait_for_end(
        &self,
        id: &str,
        runs: &[String],
        mut outstanding: Option<Outstanding>,
    ) -> Result<(), String> {
        if outstanding.is_none() {
            return Ok(());
        }
        let mut trouble = "the search engine does not answer, and the snapshots are still there".to_owned();
        for timeout in answer_timeouts() {
            match tokio::time::timeout(timeout, response(outstanding.take())).await {
                Ok(DeleteResponse::Deleted) => return Ok(()),
                Ok(DeleteResponse::Refused(reason)) => return Err(reason),
                // Another client deleted one of the snapshots first, and then the engine deletes none of the others.
                Ok(DeleteResponse::SnapshotMissing) | Err(_) => {}
            }
            match self.policies.calls().delete(id, Some(runs)).await {
                Ok((_, None)) => return Ok(()),
                Ok((again, still)) => {
                    tracing::info!(
                        backupId = canonical(id),
                        snapshots = again.snapshots.join(", "),
                        "still there; submitted the deletion again"
                    );
                    outstanding = still;
                }
                Err(CallError::Refused(error @ (Error::Unreachable(_) | Error::EngineFailure(_)))) => {
                    trouble = error.problem().message.clone();
                    tracing::warn!(backupId = canonical(id), trouble, "cannot look what became of a deletion");
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(trouble)
    }

    /// Whether nothing is left of what these runs wrote.
    async fn delete_leftovers(&self, id: &str, runs: &[String]) -> bool {
        match self.policies.calls().delete(id, Some(runs)).await {
            Ok((again, _)) if again.snapshots.is_empty() => true,
            Ok((again, outstanding)) => {
                tracing::info!(
                    backupId = canonical(id),
                    snapshots = again.snapshots.join(", "),
                    "deleting what is there again, or still"
                );
                let outcome = self.wait_for_end(id, runs, outstanding).await;
                if let Err(reason) = &outcome {
                    tracing::warn!(
                        backupId = canonical(id),
                        reason,
                        "the search engine did not delete leftovers of a deleted backup"
                    );
                }
                outcome.is_ok()
            }
            Err(error) => {
                tracing::warn!(backupId = canonical(id), %error, "cannot look for leftovers of a deleted backup");
                false
            }
        }
    }

    /// A later look found the backup deleted after all. The failure of a later deletion, which is of another backup of
    /// that ID, stays.
    fn clear_failure(&self, id: &str, failure: &Failure) {
        let mut backups = self.lock();
        if matches!(backups.get(id), Some(Deletion::Failed(told)) if told == failure) {
            tracing::info!(backupId = canonical(id), "the backup is deleted after all");
            backups.remove(id);
        }
    }

    fn ended(&self, id: &str, failure: Option<Failure>) {
        self.metrics.runs.deletion_ended(failure.is_some());
        self.replace(id, failure);
    }

    /// The deletion is not pending any more.
    fn replace(&self, id: &str, failure: Option<Failure>) {
        let mut backups = self.lock();
        match failure {
            Some(failure) => backups.insert(id.to_owned(), Deletion::Failed(failure)),
            None => backups.remove(id),
        };
        self.count(&backups);
        self.changed.notify_waiters();
    }

    fn count(&self, backups: &BTreeMap<String, Deletion>) {
        self.metrics.runs.deletions_pending(backups.values().filter(|deletion| deletion.is_pending()).count());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Deletion>> {
        // The map is consistent between any two statements that change it.
        let mut backups = self.backups.lock().unwrap_or_else(PoisonError::into_inner);
        backups.retain(|_, deletion| !deletion.is_outdated());
        backups
    }
}

/// How long to wait for the answer, each time, before a look at what is still there: an hour in all, because an engine
/// may need minutes to stop a running snapshot.
fn answer_timeouts() -> impl Iterator<Item = Duration> {
    Backoff::new(Duration::from_secs(10), Duration::from_secs(5 * 60), || 0.0).take(15)
}

enum DeleteResponse {
    Deleted,
    SnapshotMissing,
    Refused(String),
}

/// The engine's own response. One that is lost, or that comes from a proxy in its place, is none.
async fn response(outstanding: Option<Outstanding>) -> DeleteResponse {
    match outstanding {
        Some(request) => match request.await {
            Ok(Ok(response)) if !matches!(response.status, 408 | 429 | 502..=504) => read(&response),
            _ => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

fn read(response: &Response) -> DeleteResponse {
    match response.status {
        200..=299 => DeleteResponse::Deleted,
        404 => DeleteResponse::SnapshotMissing,
        status => DeleteResponse::Refused(format!("{status}: {}", response.body.chars().take(500).collect::<String>())),
    }
}
