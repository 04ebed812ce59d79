//! Calling the policy with everything that it needs to know.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::metrics::Metrics;
use crate::policy::types::{self, RunNote};
use crate::policy::{CallError, Capability, Outstanding, Policy};

/// The operations of a policy on the configured engine.
pub struct Operations {
    policy: Arc<Policy>,
    capability: Capability,
    settings: types::Settings,
    metrics: Arc<Metrics>,
}

/// Who writes, for the metadata of snapshots.
const HOST: &str = concat!("optimize-backup/", env!("CARGO_PKG_VERSION"));

impl Operations {
    /// The operations of `policy`.
    #[must_use]
    pub fn new(policy: Arc<Policy>, capability: Capability, settings: types::Settings, metrics: Arc<Metrics>) -> Self {
        Self { policy, capability, settings, metrics }
    }

    /// Validates a number, checks the repository and submits part 1; also the run that it belongs to.
    ///
    /// # Errors
    /// [`CallError`], as for all operations.
    pub async fn create(&self, id: &str, notes: Vec<RunNote>) -> Result<(types::Accepted, String), CallError> {
        let context = self.context(notes);
        let accepted = self.counted("create", self.policy.create(self.capability.clone(), &context, id)).await?;
        Ok((accepted, context.run_id))
    }

    /// Takes a run one step further.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn advance(&self, id: types::BackupId, notes: Vec<RunNote>) -> Result<types::Progress, CallError> {
        let context = self.context(notes);
        self.counted("advance", self.policy.advance(self.capability.clone(), &context, id)).await
    }

    /// Tells one backup.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn get(&self, id: &str, notes: Vec<RunNote>) -> Result<types::Backup, CallError> {
        let context = self.context(notes);
        self.counted("get", self.policy.get(self.capability.clone(), &context, id)).await
    }

    /// Tells every backup.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn list(&self, notes: Vec<RunNote>) -> Result<types::BackupsPage, CallError> {
        let context = self.context(notes);
        self.counted("list", self.policy.list(self.capability.clone(), &context)).await
    }

    /// Submits the deletion of a backup, or of what `only_runs` wrote.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn delete(
        &self,
        id: &str,
        only_runs: Option<&[String]>,
    ) -> Result<(types::Deleted, Option<Outstanding>), CallError> {
        let context = self.context(Vec::new());
        self.counted("delete", self.policy.delete(self.capability.clone(), &context, id, only_runs)).await
    }

    fn context(&self, notes: Vec<RunNote>) -> types::Context {
        types::Context {
            settings: self.settings.clone(),
            now: milliseconds_since_epoch(),
            run_id: Uuid::new_v4().to_string(),
            host: HOST.to_owned(),
            notes,
        }
    }

    async fn counted<T>(
        &self,
        operation: &str,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let started = Instant::now();
        let outcome = call.await;
        self.metrics.policy_call(operation, outcome.as_ref().err(), started.elapsed());
        outcome
    }
}

fn milliseconds_since_epoch() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
