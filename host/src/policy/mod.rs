//! Which policy serves, and how another one takes its place.
//!
//! ```text
//! candidate ── Admission ──► Admitted ── Policies::exchange ──► Generation, which serves
//!                  │             └────── Shadows::begin ──────► Report, beside the serving one
//!                  └─► AdmissionError: nothing changes
//! ```
//!
//! A call takes the serving generation once and keeps it to its end; a run likewise. The exchange is one atomic store:
//! there is no moment without a policy, and no answer to which two policies contributed.

pub mod admission;
mod cache;
mod calls;
mod circuit_breaker;
mod component;
mod digest;
mod file;
mod generation;
mod pack;
pub mod self_test;
pub mod shadow;
pub mod signature;
mod update;
mod watch;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use backup_core::{
    Backup, ClockDifference, Context, EngineClock, IndexPrefix, RepositoryName, Timestamp, milliseconds, operations,
};
use tokio::sync::Notify;

use crate::clock;
use crate::elasticsearch::{
    Answers, ClockError, ContentsError, ListError, ListedBackups, Request, Response, Scope, TransportError,
};
use crate::metrics::{LastSuccess, Metrics};
use crate::sandbox::{CallError, Mark, Operation};
use admission::Candidate;
use generation::History;
use shadow::Shadows;

pub use admission::Incumbents;
pub use cache::Cache;
pub use calls::{CallContext, CallObserver, PolicyCalls};
pub use component::{ComponentInfo, InvalidComponent};
pub use digest::Digest;
pub use file::{PolicyFile, ReadError};
pub use generation::{Admitted, Generation, Source, Withdrawal};
pub use pack::{PackError, pack};
pub use update::{InitialPolicy, StartError, Updates, initial_policy};
pub use watch::{WATCH_INTERVAL, watch};

/// How long the engine may take for what is read besides calls of the policy.
const LOOK_TIMEOUT: Duration = Duration::from_secs(60);

/// The policy that serves, and those before it.
pub struct Policies {
    context: Arc<CallContext>,
    metrics: Arc<Metrics>,
    serving: ArcSwap<Generation>,
    history: Mutex<History>,
    shadows: Arc<Shadows>,
    /// The last known good policy or the withdrawals are others than before.
    changed: Notify,
    /// How many consecutive calls of one operation may fail before the previous policy comes back.
    max_failures: u32,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    #[error("there is no previous policy to return to")]
    NoPreviousPolicy,
    #[error("generation {unwanted} does not serve, but generation {serving}: nothing is rolled back")]
    Replaced { unwanted: u64, serving: u64 },
}

/// Why the host could not read a backup itself.
#[derive(Debug, thiserror::Error)]
pub enum OwnReadError {
    #[error("{0}")]
    Settings(String),
    #[error(transparent)]
    Core(#[from] backup_core::Error),
}

impl Policies {
    /// Begins with `initial` as generation 1.
    pub fn new(initial: Admitted, max_failures: u32, context: CallContext, metrics: Arc<Metrics>) -> Arc<Self> {
        // At the start, it serves because the configured one was refused.
        let is_fallback = matches!(initial.source, Source::Cache(_));
        let serving = Generation::new(1, initial);
        count(&metrics, &serving, is_fallback);
        Arc::new(Self {
            shadows: Shadows::new(Arc::clone(&metrics), max_failures),
            context: Arc::new(context),
            metrics,
            serving: ArcSwap::new(serving),
            history: Mutex::default(),
            changed: Notify::new(),
            max_failures,
        })
    }

    /// Calls of the policy that serves now. They stay with it whatever serves afterwards.
    pub fn calls(self: &Arc<Self>) -> PolicyCalls {
        PolicyCalls::new(self.serving(), Arc::clone(&self.context), Arc::clone(self) as _)
    }

    /// The same calls, or those of the serving policy if theirs was withdrawn.
    pub fn successor_of(self: &Arc<Self>, calls: PolicyCalls) -> PolicyCalls {
        if calls.generation().is_withdrawn() { self.calls() } else { calls }
    }

    /// Sends one read of the host itself; no policy is called for that.
    pub(crate) async fn read_once(&self, request: Request) -> Result<Response, TransportError> {
        self.context.capability.read_once(request, LOOK_TIMEOUT).await
    }

    /// All backups by names and states; no policy is called for that. None without a repository.
    pub(crate) async fn listed(&self) -> Result<ListedBackups, ListError> {
        match RepositoryName::parse(&self.context.settings.repository) {
            Ok(repository) => self.context.capability.listed(&repository, LOOK_TIMEOUT).await,
            Err(_not_configured) => Ok(ListedBackups::default()),
        }
    }

    /// What the snapshots of a finished backup are together; no policy is called for that.
    pub(crate) async fn contents(&self, names: &[String]) -> Result<LastSuccess, ContentsError> {
        let repository = RepositoryName::parse(&self.context.settings.repository)?;
        self.context.capability.contents(&repository, names, LOOK_TIMEOUT).await
    }

    /// How far this server's clock and the engine's are apart; no policy is called for that.
    pub(crate) async fn clock_difference(&self) -> Result<ClockDifference, ClockError> {
        const TIMEOUT: Duration = Duration::from_secs(10);
        self.context.capability.clock_difference(TIMEOUT).await
    }

    /// Reads one backup by the host's own rules; no policy is called for that.
    pub(crate) async fn read_by_own_rules(&self, id: u64) -> Result<Backup, OwnReadError> {
        let id = id.to_string();
        self.read_own(Scope::Read, |engine, context| operations::get(engine, context, &id)).await
    }

    /// The backups that are being restored, on whichever server; no policy is called for that.
    pub(crate) async fn restored(&self) -> Result<BTreeSet<backup_core::BackupId>, OwnReadError> {
        self.read_own(Scope::Read, operations::restore::ongoing).await
    }

    /// The installations that would find the indices of another prefix with their own; no policy is called for that.
    pub(crate) async fn outer_installations(&self, other: &IndexPrefix) -> Result<Vec<IndexPrefix>, OwnReadError> {
        let find =
            |engine: &Answers, context: &Context| operations::restore::outer_installations(engine, context, other);
        self.read_own(Scope::of_restore_read(Some(other)), find).await
    }

    async fn read_own<T>(
        &self,
        scope: Scope,
        operation: impl Fn(&Answers, &Context) -> Result<T, backup_core::Error>,
    ) -> Result<T, OwnReadError> {
        const TIMEOUT: Duration = Duration::from_secs(60);
        let context = self.own_context()?;
        Ok(self.context.capability.read_with(TIMEOUT, scope, |engine| operation(engine, &context)).await?)
    }

    fn own_context(&self) -> Result<Context, OwnReadError> {
        let settings = &self.context.settings;
        let invalid = |error: &dyn std::error::Error| OwnReadError::Settings(error.to_string());
        Ok(Context {
            settings: backup_core::Settings {
                repository: Some(RepositoryName::parse(&settings.repository).map_err(|error| invalid(&error))?),
                index_prefix: IndexPrefix::parse(&settings.index_prefix).map_err(|error| invalid(&error))?,
                optimize_version: None,
                engine: settings.engine.into(),
                resume_window: Duration::from_millis(settings.resume_window),
            },
            now: Timestamp(milliseconds(clock::since_epoch())),
            engine_clock: EngineClock::NotAsked,
            run_id: String::new(),
            host: String::new(),
            notes: Vec::new(),
        })
    }

    /// The index prefix of the installation.
    pub(crate) fn index_prefix(&self) -> &str {
        &self.context.settings.index_prefix
    }

    /// Makes a call that only reads. If there is a shadow, it gets a copy of the call in the background.
    pub async fn read<A, F>(
        self: &Arc<Self>,
        operation: &'static str,
        id: Option<&str>,
        call: impl Fn(PolicyCalls) -> F + Send + Sync + 'static,
    ) -> Result<A, CallError>
    where
        A: Clone + Debug + PartialEq + Send + Sync + 'static,
        F: Future<Output = Result<A, CallError>> + Send + 'static,
    {
        let calls = self.calls();
        let Some(mirror) = self.shadows.mirror(&calls) else { return call(calls).await };
        let served = call(mirror.recorded(&calls)).await;
        mirror.compare_in_background(operation, id, &calls, served.clone(), call);
        served
    }

    pub fn serving(&self) -> Arc<Generation> {
        self.serving.load_full()
    }

    /// The generation that a rollback brings back. `None`: there was no other one, or it has come back already.
    pub fn previous(&self) -> Option<Arc<Generation>> {
        self.history().previous.clone()
    }

    pub fn shadows(&self) -> &Arc<Shadows> {
        &self.shadows
    }

    /// What a candidate is compared with.
    pub fn incumbents(&self) -> Incumbents {
        let withdrawals = self.history().withdrawals().cloned().collect();
        Incumbents { serving: Some(Arc::clone(&self.serving().admitted.info)), withdrawals }
    }

    /// Takes over the withdrawals of an earlier process.
    pub fn restore(&self, withdrawals: Vec<Withdrawal>) {
        self.history().restore(withdrawals);
    }

    /// The serving policy, if it has proven itself or has come back.
    fn last_known_good(&self) -> Option<Candidate> {
        let serving = self.serving();
        let is_good = matches!(serving.admitted.source, Source::Return { .. }) || serving.is_proven(self.max_failures);
        serving.admitted.candidate.clone().filter(|_| is_good)
    }

    /// Lets another policy serve from now on.
    pub fn exchange(&self, admitted: Admitted) -> Arc<Generation> {
        let mut history = self.history();
        // Whoever forced it wants it in spite of its past, after a restart too.
        history.forgive(&admitted.info.digest);
        self.changed.notify_one();
        let replaced = self.serve(&mut history, admitted, false);
        let serving = self.serving();
        // A policy that is brought in a second time is not its own way back.
        if !replaced.is_same(&serving) {
            history.previous = Some(replaced);
        }
        serving
    }

    /// Replaces `unwanted`, or whichever generation serves, by the previous policy. A second rollback undoes the first,
    /// unless it names the same generation.
    pub fn roll_back(&self, unwanted: Option<u64>) -> Result<Arc<Generation>, RollbackError> {
        let mut history = self.history();
        let serving = self.serving().number;
        if let Some(unwanted) = unwanted.filter(|&unwanted| unwanted != serving) {
            return Err(RollbackError::Replaced { unwanted, serving });
        }
        let previous = history.previous.take().ok_or(RollbackError::NoPreviousPolicy)?;
        let replaced = self.serve(&mut history, returning(&previous, "an operator asked for it".to_owned()), false);
        history.previous = Some(replaced);
        self.changed.notify_one();
        Ok(self.serving())
    }

    /// Replaces a failing policy in its runs by the serving one. If it is the serving one itself, the previous one comes
    /// back, once: two bad policies must not take turns for ever.
    fn withdraw(&self, failing: &Arc<Generation>, reason: String) {
        let mut history = self.history();
        let serving = self.serving();
        let is_serving = Arc::ptr_eq(failing, &serving);
        let is_without_successor = if is_serving { history.previous.is_none() } else { failing.is_same(&serving) };
        if is_without_successor || failing.is_withdrawn() {
            return;
        }
        tracing::error!(generation = failing.number, reason, "the policy keeps failing; another one takes its place");
        failing.mark_withdrawn();
        history.record(Withdrawal { digest: failing.admitted.info.digest, reason: reason.clone() });
        let previous = history.previous.take_if(|previous| is_serving || Arc::ptr_eq(previous, failing));
        if let Some(previous) = previous.filter(|_| is_serving) {
            self.serve(&mut history, returning(&previous, reason), true);
        }
        self.changed.notify_one();
    }

    /// Stores a new generation, and returns the one that it replaces. `is_fallback`: that one should serve, and cannot.
    fn serve(&self, history: &mut History, admitted: Admitted, is_fallback: bool) -> Arc<Generation> {
        let replaced = self.serving();
        let generation = Generation::new(history.next_number(), admitted);
        tracing::info!(
            generation = generation.number,
            digest = %generation.admitted.info.digest,
            source = %generation.admitted.source,
            "another policy serves from now on"
        );
        count(&self.metrics, &generation, is_fallback);
        self.shadows.serves(&generation.admitted.info.digest);
        self.serving.store(generation);
        replaced
    }

    fn history(&self) -> MutexGuard<'_, History> {
        // It is consistent between any two statements that change it.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallObserver for Policies {
    /// Counts a call. A policy with too many consecutive failures is withdrawn.
    fn call_ended(
        &self,
        generation: &Arc<Generation>,
        operation: Operation,
        outcome: Result<(), &CallError>,
        mark: Option<Mark>,
        took: Duration,
    ) {
        self.metrics.policy.call(operation.name(), outcome.err().map_or("ok", CallError::outcome), took);
        let Some(mark) = mark else { return };
        let (calls, failures) = generation.count(operation, mark);
        if calls == u64::from(self.max_failures) {
            self.changed.notify_one();
        }
        if let (Err(error), true) = (outcome, failures >= self.max_failures) {
            let reason = format!("{failures} calls of {} in a row failed, the last one so: {error}", operation.name());
            self.withdraw(generation, reason);
        }
    }
}

fn count(metrics: &Metrics, serving: &Generation, is_fallback: bool) {
    let info = &serving.admitted.info;
    let version = info.version.as_ref().map(ToString::to_string).unwrap_or_default();
    metrics.policy.serves(serving.number, &info.digest.to_string(), &version, is_fallback);
}

fn returning(previous: &Generation, reason: String) -> Admitted {
    Admitted { source: Source::Return { generation: previous.number, reason }, ..previous.admitted.clone() }
}
