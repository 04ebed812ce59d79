//! Deletions that go on after their 204.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::elasticsearch::{Response, TransportError};
use crate::metrics::Metrics;
use crate::policies::Policies;
use crate::policy::Outstanding;
use crate::policy::types::Deleted;

/// The deletions of this host.
pub struct Deletions {
    policies: Arc<Policies>,
    metrics: Arc<Metrics>,
    backups: Mutex<BTreeMap<String, Deletion>>,
}

/// What is to be told of a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The engine is at it.
    Pending,
    /// The engine did not do it.
    Failed(String),
}

/// When to look again for what another host may have added. It reads the snapshots, then starts part 2:
/// the last look is after the longest time that this can take it.
const LOOK_AGAIN: [Duration; 3] = [Duration::ZERO, Duration::from_secs(5), Duration::from_secs(60)];

impl Deletions {
    /// None yet.
    #[must_use]
    pub fn new(policies: Arc<Policies>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { policies, metrics, backups: Mutex::default() })
    }

    /// Marks a backup as being deleted; `false` if it is already.
    pub(crate) fn begin(&self, id: &str) -> bool {
        let mut backups = self.lock();
        let is_new = backups.insert(id.to_owned(), Deletion::Pending) != Some(Deletion::Pending);
        self.count(&backups);
        is_new
    }

    /// Whether the engine is still deleting a backup.
    pub(crate) fn is_pending(&self, id: &str) -> bool {
        self.lock().get(id) == Some(&Deletion::Pending)
    }

    /// The deletion could not be submitted: there is nothing to tell of it but the answer itself.
    pub(crate) fn withdraw(&self, id: &str) {
        let mut backups = self.lock();
        backups.remove(id);
        self.count(&backups);
    }

    /// Every deletion that is pending or failed.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Deletion> {
        self.lock().clone()
    }

    /// Waits for the engine's outcome, and looks again for what was added meanwhile.
    pub(crate) async fn follow(self: Arc<Self>, id: String, deleted: Deleted, outstanding: Option<Outstanding>) {
        let outcome = match outstanding {
            Some(request) => settle(request.await.map_err(|aborted| aborted.to_string())),
            None => Settled::Done,
        };
        let outcome = match outcome {
            Settled::Done => Ok(()),
            Settled::Failed(reason) => Err(reason),
            Settled::Overtaken => self.delete_the_rest(&id, &deleted.runs).await,
        };
        self.end(&id, &deleted, outcome);
        if deleted.runs.is_empty() {
            return;
        }
        for delay in LOOK_AGAIN {
            tokio::time::sleep(delay).await;
            self.delete_leftovers(&id, &deleted.runs).await;
        }
    }

    /// Somebody else deleted one of the snapshots first, and then an engine deletes none of the others.
    async fn delete_the_rest(&self, id: &str, runs: &[String]) -> Result<(), String> {
        let only_ours = Some(runs).filter(|runs| !runs.is_empty());
        match self.policies.operations().delete(id, only_ours).await {
            Ok((_, None)) => Ok(()),
            Ok((_, Some(outstanding))) => match settle(outstanding.await.map_err(|aborted| aborted.to_string())) {
                Settled::Done | Settled::Overtaken => Ok(()),
                Settled::Failed(reason) => Err(reason),
            },
            Err(error) => Err(error.to_string()),
        }
    }

    async fn delete_leftovers(&self, id: &str, runs: &[String]) {
        match self.policies.operations().delete(id, Some(runs)).await {
            Ok((again, _)) if again.snapshots.is_empty() => {}
            Ok((again, _)) => {
                tracing::info!(backup = id, snapshots = ?again.snapshots, "deleted what another host had added meanwhile");
            }
            Err(error) => tracing::warn!(backup = id, %error, "cannot look for leftovers of a deleted backup"),
        }
    }

    fn end(&self, id: &str, deleted: &Deleted, outcome: Result<(), String>) {
        self.metrics.deletion_ended(outcome.is_err());
        let mut backups = self.lock();
        match outcome {
            Ok(()) => {
                tracing::info!(backup = id, snapshots = ?deleted.snapshots, "the backup is deleted");
                backups.remove(id);
            }
            Err(reason) => {
                tracing::error!(backup = id, snapshots = ?deleted.snapshots, reason, "the engine did not delete the backup");
                backups.insert(id.to_owned(), Deletion::Failed(reason));
            }
        }
        self.count(&backups);
    }

    fn count(&self, backups: &BTreeMap<String, Deletion>) {
        self.metrics.deletions_pending(backups.values().filter(|&deletion| *deletion == Deletion::Pending).count());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Deletion>> {
        // The map is consistent between any two statements that change it.
        self.backups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a deletion that took its time.
enum Settled {
    Done,
    Overtaken,
    Failed(String),
}

fn settle(answer: Result<Result<Response, TransportError>, String>) -> Settled {
    match answer.and_then(|answer| answer.map_err(|error| error.to_string())) {
        Err(reason) => Settled::Failed(reason),
        Ok(Response { status: 200..=299, .. }) => Settled::Done,
        Ok(Response { status: 404, .. }) => Settled::Overtaken,
        Ok(Response { status, body, .. }) => {
            Settled::Failed(format!("{status}: {}", body.chars().take(500).collect::<String>()))
        }
    }
}
