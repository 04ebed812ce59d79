//! Calling the policy with everything that it needs to know.

use std::sync::Arc;
use std::time::Instant;

use tracing::{Instrument, info_span};
use uuid::Uuid;

use crate::clock;
use crate::policies::{Generation, Policies};
use crate::policy::types::{self, RunNote};
use crate::policy::{CallError, Capability, GetBackup, ListBackups, Outstanding, Policy, Read};

/// The operations of one generation of the policy on the configured engine.
///
/// Several calls that belong together, such as the steps of a run, are made on one of these.
#[derive(Clone)]
pub struct Operations {
    policies: Arc<Policies>,
    generation: Arc<Generation>,
}

/// Who writes, for the metadata of snapshots.
const HOST: &str = concat!("optimize-backup/", env!("CARGO_PKG_VERSION"));

impl Operations {
    pub(crate) fn new(policies: Arc<Policies>, generation: Arc<Generation>) -> Self {
        Self { policies, generation }
    }

    /// These operations, or the serving policy's if theirs failed too often to go on with.
    #[must_use]
    pub fn or_successor(self) -> Self {
        if self.generation.is_withdrawn() { self.policies.operations() } else { self }
    }

    /// Validates a number, checks the repository and submits part 1; also the run that it belongs to.
    ///
    /// # Errors
    /// [`CallError`], as for all operations.
    pub async fn create(&self, id: &str, notes: Vec<RunNote>) -> Result<(types::Accepted, String), CallError> {
        let context = self.context(notes);
        let call = self.policy().create(self.capability(), &context, id);
        let accepted = self.settle("create", call).await?;
        Ok((accepted, context.run_id))
    }

    /// Takes a run one step further.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn advance(&self, id: types::BackupId, notes: Vec<RunNote>) -> Result<types::Progress, CallError> {
        let context = self.context(notes);
        let call = self.policy().advance(self.capability(), &context, id);
        self.settle("advance", call).await
    }

    /// Tells one backup.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn get(&self, id: &str, notes: Vec<RunNote>) -> Result<types::Backup, CallError> {
        self.read(&GetBackup(id.to_owned()), self.capability(), &self.context(notes)).await
    }

    /// Tells every backup.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn list(&self, notes: Vec<RunNote>) -> Result<types::BackupsPage, CallError> {
        self.read(&ListBackups, self.capability(), &self.context(notes)).await
    }

    /// Answers a caller. The shadow, if there is one, is asked the same, and nobody waits for that.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn answer<R: Read>(&self, read: R, notes: Vec<RunNote>) -> Result<R::Answer, CallError> {
        let context = self.context(notes);
        let Some(witness) = self.policies.shadows().witness(&self.policies.surroundings.capability) else {
            return self.read(&read, self.capability(), &context).await;
        };
        let served = self.read(&read, witness.capability(), &context).await;
        witness.ask_shadow(read, context, self.generation.number, served.clone());
        served
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
        let call = self.policy().delete(self.capability(), &context, id, only_runs);
        self.settle("delete", call).await
    }

    async fn read<R: Read>(
        &self,
        read: &R,
        capability: Capability,
        context: &types::Context,
    ) -> Result<R::Answer, CallError> {
        self.settle(R::OPERATION, read.ask(self.policy(), capability, context)).await
    }

    fn policy(&self) -> &Policy {
        &self.generation.admitted.policy
    }

    fn capability(&self) -> Capability {
        self.policies.surroundings.capability.clone()
    }

    fn context(&self, notes: Vec<RunNote>) -> types::Context {
        types::Context {
            settings: self.policies.surroundings.settings.clone(),
            now: u64::try_from(clock::since_epoch().as_millis()).unwrap_or(u64::MAX),
            run_id: Uuid::new_v4().to_string(),
            host: HOST.to_owned(),
            notes,
        }
    }

    /// Waits for a call, and counts it.
    async fn settle<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let started = Instant::now();
        // Whatever is logged meanwhile, what the policy prints too, says whose it is.
        let span = info_span!("policy", generation = self.generation.number, operation);
        let outcome = call.instrument(span).await;
        self.policies.surroundings.metrics.policy_call(operation, outcome.as_ref().err(), started.elapsed());
        self.policies.count(&self.generation, operation, outcome.as_ref().map(|_| ()));
        outcome
    }
}
