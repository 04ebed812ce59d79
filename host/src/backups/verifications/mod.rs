//! Verifications: a copy of a backup is restored under scratch names, checked, and deleted.
//!
//! A verification is a loop over the policy's `advance`. Its lock is on the engine, so that there is one at a time on all hosts;
//! its state is in this host's memory, and so is how it ended. What a host that was killed has left, another one clears.

mod abandoned;
mod driver;
mod limits;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backup_actuator::VerificationState;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::correlation::inherit;
use crate::metrics::Metrics;
use crate::policy::{Policies, PolicyCalls};
use crate::sandbox::types::{BackupId, ByteCount, Error, Problem};
use crate::sandbox::verifications::{Check, VerificationRun};
use crate::sandbox::{CallError, Purpose};
use state::{Current, End, State};

pub use state::Left;

/// A verification runs here: the policy's own code for one of another host.
const IN_PROGRESS: &str = "verificationInProgress";

/// The verification that this host drives, and how those before it ended.
pub struct Verifications {
    policies: Arc<Policies>,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Where the verification of a backup stands, as far as this host knows.
#[derive(Clone, Debug)]
pub struct Verification {
    pub backup_id: BackupId,
    pub state: VerificationState,
    /// Which of its verifications that is.
    pub run_id: Option<String>,
    pub checks: Vec<Check>,
    pub bytes: Option<ByteCount>,
    /// When it ended, in milliseconds since 1970.
    pub ended: Option<u64>,
    pub failure_reason: Option<String>,
    pub next_step: Option<String>,
}

/// Kept by whoever drives a verification. When this is dropped, also by a panic, it is not driven any more.
struct Driven {
    verifications: Arc<Verifications>,
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.verifications.lock().current = None;
    }
}

impl Verifications {
    pub(super) fn new(policies: Arc<Policies>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            policies,
            metrics,
            state: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Begins a verification, and drives it to its end in the background; its run. `obstacle` is asked for once nobody else can begin
    /// what stands against it.
    ///
    /// # Errors
    /// [`CallError`]: it was not begun.
    pub(super) async fn begin(
        self: &Arc<Self>,
        id: &str,
        obstacle: impl Fn() -> Result<(), CallError>,
    ) -> Result<String, CallError> {
        // Whoever shuts down waits for what is begun meanwhile, too.
        let _begun = self.tasks.token();
        let driven = self.reserve(id)?;
        obstacle()?;
        let calls = self.policies.calls();
        let backup = calls.get(id, Vec::new()).await?;
        let begun = calls.begin_verification(id).await;
        self.lock().left = Left::after_begin(&begun);
        let run = begun?;
        self.update(|current| current.run = Some(run.clone()));
        tracing::info!(backupId = run.backup_id, indices = run.indices.len(), "the verification begins");
        let run_id = run.run_id.clone();
        let work = async move { driver::drive(&driven.verifications, run, backup.run_id, calls).await };
        self.tasks.spawn(inherit(work).in_current_span());
        Ok(run_id)
    }

    /// Tells where the verification of a backup stands: here, by the engine's lock, or how it ended here.
    ///
    /// # Errors
    /// [`CallError`]: there is no such backup, or it cannot be read.
    pub async fn get(&self, id: &str) -> Result<Verification, CallError> {
        if let Some(verification) = self.ongoing(id) {
            return Ok(verification);
        }
        let calls = self.policies.calls();
        let backup = calls.get(id, Vec::new()).await?;
        let holder = calls.verification_traces().await?.holder;
        let end = self.lock().end_of(backup.backup_id, backup.run_id.as_deref());
        let elsewhere = holder.filter(|holder| holder.backup_id == backup.backup_id && calls.is_own(holder));
        if let Some(verification) = self.ongoing(id) {
            return Ok(verification);
        }
        // A lock that this host could not take away is no news.
        match (elsewhere, end) {
            (Some(holder), Some(end)) if holder.run_id == end.run_id => Ok(end.told()),
            (Some(holder), _) => Ok(Verification::elsewhere(holder)),
            (None, Some(end)) => Ok(end.told()),
            (None, None) => Ok(Verification::none(backup.backup_id)),
        }
    }

    /// The backup that is verified here at the moment.
    pub fn driven(&self) -> Option<String> {
        self.lock().current.as_ref().map(|current| current.id.clone())
    }

    /// An error if a verification runs here.
    pub(super) fn expect_none(&self) -> Result<(), CallError> {
        self.driven().map_or(Ok(()), |id| Err(in_progress(&id)))
    }

    /// An error if this backup is verified here: what it works with must not be deleted meanwhile.
    pub(super) fn expect_none_of(&self, id: &str) -> Result<(), CallError> {
        match self.lock().current.as_ref().filter(|current| current.is_of(id)) {
            Some(current) => Err(in_progress(&current.id)),
            None => Ok(()),
        }
    }

    /// The backups that are verified, here or, when it was last looked for, elsewhere.
    pub(super) fn in_use(&self) -> Vec<BackupId> {
        let state = self.lock();
        let here = state.current.as_ref().and_then(|current| current.id.parse().ok());
        here.into_iter().chain(state.elsewhere).collect()
    }

    /// Stops the verification, clears what it has made, and waits until no step is under way. What is left.
    pub async fn shut_down(&self) -> Left {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.lock().left
    }

    fn reserve(self: &Arc<Self>, id: &str) -> Result<Driven, CallError> {
        let mut state = self.lock();
        if let Some(driven) = &state.current {
            return Err(in_progress(&driven.id));
        }
        state.current = Some(Current::new(id.to_owned()));
        Ok(Driven { verifications: Arc::clone(self) })
    }

    fn ongoing(&self, id: &str) -> Option<Verification> {
        self.lock().current.as_ref().filter(|current| current.is_of(id)).and_then(Current::told)
    }

    fn update(&self, change: impl FnOnce(&mut Current)) {
        if let Some(current) = self.lock().current.as_mut() {
            change(current);
        }
    }

    /// Remembers and counts an end.
    fn ended(&self, end: End) {
        let (id, reason) = (end.backup_id, end.failure.as_deref());
        if end.has_passed() {
            tracing::info!(backupId = id, "the backup has passed its verification");
        } else {
            tracing::error!(backupId = id, reason, "the backup has not passed its verification");
        }
        self.metrics.verifications.ended(end.has_passed(), end.at);
        self.lock().remember(end);
    }

    /// Clears what a run of this host has made, if the lock is still its. Whether nothing is left of it.
    async fn clear_own(&self, calls: &PolicyCalls, run: &VerificationRun) -> Result<bool, CallError> {
        let traces = calls.verification_traces().await?;
        let is_anothers = traces.holder.is_some();
        // Its beat can be newer than this host knows: the answer of a step may have got lost.
        match traces.holder.filter(|holder| holder.run_id == run.run_id && holder.backup_id == run.backup_id) {
            Some(own) => calls.clear_verification(Some(&own)).await,
            // Whoever has taken the lock away deletes what is there.
            None => Ok(is_anothers || traces.indices.is_empty()),
        }
    }

    /// Calls for what the host looks for by itself.
    fn looks(&self) -> PolicyCalls {
        self.policies.calls().for_purpose(Purpose::Inspection)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // It is consistent between any two statements that change it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_progress(id: &str) -> CallError {
    CallError::Refused(Error::Conflict(Problem {
        code: IN_PROGRESS.to_owned(),
        message: format!(
            "this server is verifying the backup with ID {id}; wait for its end, or, to restore now, restore with --local or stop this server"
        ),
        detail: None,
    }))
}
