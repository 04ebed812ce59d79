use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{Instrument, error_span};
use uuid::Uuid;

use super::Generation;
use crate::clock;
use crate::elasticsearch::{Capability, Outstanding};
use crate::sandbox::types::{self, RunNote};
use crate::sandbox::verifications::{VerificationHolder, VerificationRun, VerificationStep, VerificationTraces};
use crate::sandbox::{CallError, Mark, Operation, Policy, Purpose, restores, retention};

/// Calls of one generation of the policy.
///
/// Several calls that belong together, such as the steps of a run, are made on one of these.
#[derive(Clone)]
pub struct PolicyCalls {
    generation: Arc<Generation>,
    context: Arc<CallContext>,
    observer: Arc<dyn CallObserver>,
    /// `None`: each call has its own.
    identity: Option<CallIdentity>,
    purpose: Purpose,
}

/// What every policy is called with.
#[derive(Clone)]
pub struct CallContext {
    pub capability: Capability,
    pub settings: types::Settings,
}

/// The part of a call's context that differs from call to call.
#[derive(Clone)]
pub(super) struct CallIdentity {
    now: Duration,
    run_id: String,
}

/// Is told of each call's end.
pub trait CallObserver: Send + Sync {
    /// `mark`: what it tells about the policy, if anything.
    fn call_ended(
        &self,
        generation: &Arc<Generation>,
        operation: Operation,
        outcome: Result<(), &CallError>,
        mark: Option<Mark>,
        took: Duration,
    );
}

/// For calls of the self-test and of shadows.
pub(super) struct Unobserved;

impl CallObserver for Unobserved {
    fn call_ended(&self, _: &Arc<Generation>, _: Operation, _: Result<(), &CallError>, _: Option<Mark>, _: Duration) {}
}

/// A setting of the lock has 200 bytes, for the ID of the backup, a UUID and a number, too.
const MAX_INSTALLATION_BYTES: usize = 100;

/// Who writes, for the metadata of snapshots.
const HOST: &str = concat!("optimize-backup/", env!("CARGO_PKG_VERSION"));

impl PolicyCalls {
    pub(super) fn new(generation: Arc<Generation>, context: Arc<CallContext>, observer: Arc<dyn CallObserver>) -> Self {
        Self { generation, context, observer, identity: None, purpose: Purpose::Service }
    }

    /// Replaces the capability, and makes all calls at one identity.
    pub(super) fn with_capability(self, capability: Capability, identity: CallIdentity) -> Self {
        let context = CallContext { capability, settings: self.context.settings.clone() };
        Self { context: Arc::new(context), identity: Some(identity), ..self }
    }

    /// The same calls of another policy.
    pub(super) fn of_generation(&self, generation: Arc<Generation>, observer: Arc<dyn CallObserver>) -> Self {
        Self { generation, observer, ..self.clone() }
    }

    /// The same calls on another behalf. Only those of the service are told of the policy.
    pub(crate) fn for_purpose(&self, purpose: Purpose) -> Self {
        Self { purpose, ..self.clone() }
    }

    pub(super) fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// Validates an id, checks the repository and submits part 1; returns also the id of the run.
    pub async fn create(&self, id: &str, notes: Vec<RunNote>) -> Result<(types::Accepted, String), CallError> {
        let context = self.context(notes);
        let call = self.policy().create(self.capability(), &context, id);
        let accepted = self.observed(Operation::Create, call).await?;
        Ok((accepted, context.run_id))
    }

    /// Takes a run one step further.
    pub async fn advance(&self, id: types::BackupId, notes: Vec<RunNote>) -> Result<types::Step, CallError> {
        let context = self.context(notes);
        self.observed(Operation::Advance, self.policy().advance(self.capability(), &context, id)).await
    }

    pub async fn get(&self, id: &str, notes: Vec<RunNote>) -> Result<types::Backup, CallError> {
        let context = self.context(notes);
        self.observed(Operation::Get, self.policy().get(self.purpose, self.capability(), &context, id)).await
    }

    pub async fn progress(&self, id: &str, notes: Vec<RunNote>) -> Result<types::BackupProgress, CallError> {
        let context = self.context(notes);
        self.observed(Operation::Progress, self.policy().progress(self.purpose, self.capability(), &context, id)).await
    }

    pub async fn list(&self, query: &types::ListQuery, notes: Vec<RunNote>) -> Result<types::BackupsPage, CallError> {
        let context = self.context(notes);
        let call = self.policy().list(self.purpose, self.capability(), &context, query);
        self.observed(Operation::List, call).await
    }

    /// Submits the deletion of a backup, or of what `only_runs` wrote.
    pub async fn delete(
        &self,
        id: &str,
        only_runs: Option<&[String]>,
    ) -> Result<(types::Deleted, Option<Outstanding>), CallError> {
        let context = self.context(Vec::new());
        self.observed(Operation::Delete, self.policy().delete(self.capability(), &context, id, only_runs)).await
    }

    /// Chooses the backups that expire.
    pub async fn expire(
        &self,
        rules: &retention::Rules,
        candidates: &[retention::Candidate],
    ) -> Result<Vec<retention::Expired>, CallError> {
        let context = self.context(Vec::new());
        let call = self.policy().expire(self.purpose, self.capability(), &context, rules, candidates);
        self.observed(Operation::Expire, call).await
    }

    /// Tells what a restore would do.
    pub async fn plan_restore(
        &self,
        id: &str,
        options: &restores::RestoreOptions,
        writes: Option<&[restores::IndexWrites]>,
    ) -> Result<restores::RestorePlan, CallError> {
        let context = self.context(Vec::new());
        let call = self.policy().plan_restore(self.purpose, self.capability(), &context, id, options, writes);
        self.observed(Operation::PlanRestore, call).await
    }

    /// Takes a restore one step further.
    pub async fn advance_restore(&self, run: &restores::RestoreRun) -> Result<restores::RestoreStep, CallError> {
        let context = self.context(Vec::new());
        let call = self.policy().advance_restore(self.purpose, self.capability(), &context, run);
        self.observed(Operation::AdvanceRestore, call).await
    }

    /// Tells where a restore stands.
    pub async fn get_restore(&self, id: &str, rename_prefix: Option<&str>) -> Result<restores::Restore, CallError> {
        let context = self.context(Vec::new());
        let call = self.policy().get_restore(self.purpose, self.capability(), &context, id, rename_prefix);
        self.observed(Operation::GetRestore, call).await
    }

    /// Begins the verification of a backup. Its run is called after the installation, whose backups can have the same IDs as
    /// those of another one: there is one lock for all in a cluster.
    pub async fn begin_verification(&self, id: &str) -> Result<VerificationRun, CallError> {
        let mut context = self.context(Vec::new());
        context.run_id = format!("{}.{}", self.installation(), context.run_id);
        let call = self.policy().begin_verification(self.purpose, self.capability(), &context, id);
        self.observed(Operation::BeginVerification, call).await
    }

    /// Whether a verification is of this installation, by its run. One that other software has named, without a prefix, counts as
    /// its own.
    pub fn is_own(&self, holder: &VerificationHolder) -> bool {
        holder.run_id.rsplit_once('.').is_none_or(|(installation, _)| installation == self.installation())
    }

    /// The index prefix, as far as there is room for it in the lock.
    fn installation(&self) -> &str {
        let prefix = self.context.settings.index_prefix.as_str();
        prefix.get(..MAX_INSTALLATION_BYTES).unwrap_or(prefix)
    }

    /// Takes a verification one step further.
    pub async fn advance_verification(&self, run: &VerificationRun) -> Result<VerificationStep, CallError> {
        let context = self.context(Vec::new());
        let call = self.policy().advance_verification(self.purpose, self.capability(), &context, run);
        self.observed(Operation::AdvanceVerification, call).await
    }

    /// Tells what verifications have left in the cluster.
    pub async fn verification_traces(&self) -> Result<VerificationTraces, CallError> {
        let context = self.context(Vec::new());
        let call = self.policy().verification_traces(self.purpose, self.capability(), &context);
        self.observed(Operation::VerificationTraces, call).await
    }

    /// Deletes what a verification has left. False: the lock is not this holder's any more.
    pub async fn clear_verification(&self, holder: Option<&VerificationHolder>) -> Result<bool, CallError> {
        let context = self.context(Vec::new());
        let call = self.policy().clear_verification(self.purpose, self.capability(), &context, holder);
        self.observed(Operation::ClearVerification, call).await
    }

    fn policy(&self) -> &Policy {
        &self.generation.admitted.policy
    }

    pub(super) fn capability(&self) -> Capability {
        self.context.capability.clone()
    }

    fn context(&self, notes: Vec<RunNote>) -> types::Context {
        let CallIdentity { now, run_id } = self.identity.clone().unwrap_or_else(CallIdentity::now);
        types::Context {
            settings: self.context.settings.clone(),
            now: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            run_id,
            host: HOST.to_owned(),
            notes,
        }
    }

    async fn observed<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let started = Instant::now();
        // Everything that is logged meanwhile, the policy's output included, carries these fields.
        let span = error_span!("policy", generation = self.generation.number, operation = operation.name());
        let outcome = call.instrument(span).await;
        let ended = outcome.as_ref().map(|_| ());
        // The host would count against a policy what nobody asked for.
        let mark =
            (self.purpose == Purpose::Service).then(|| ended.map_or_else(CallError::mark, |()| Some(Mark::Good)));
        self.observer.call_ended(&self.generation, operation, ended, mark.flatten(), started.elapsed());
        outcome
    }
}

impl CallIdentity {
    pub(super) fn now() -> Self {
        Self { now: clock::since_epoch(), run_id: Uuid::new_v4().to_string() }
    }
}
