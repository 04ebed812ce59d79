//! Which policy serves, and how another one takes its place.
//!
//! ```text
//! candidate ── Admission ──► Admitted ── Policies::exchange ──► Generation, which serves
//!                  │             └─────── Shadows::begin ──► Findings, beside that one
//!                  └─► Refusal: nothing changes
//! ```
//!
//! A call takes the serving generation once and keeps it to its end, a run likewise. The exchange is one
//! atomic store, so there is no moment without a policy, and no answer of which two have a part.

pub mod admission;
mod anatomy;
mod cache;
mod digest;
mod generation;
mod history;
mod pack;
pub mod rehearsal;
mod row;
pub mod shadow;
pub mod signature;
mod start;
mod updates;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::metrics::Metrics;
use crate::operations::Operations;
use crate::policy::{CallError, Capability, types};
use history::History;
use row::FailuresInARow;
use shadow::Shadows;

pub use anatomy::{Anatomy, Defect};
pub use cache::Cache;
pub use digest::Digest;
pub use generation::{Admitted, Generation, Source};
pub use history::Withdrawal;
pub use pack::{PackFault, pack};
pub use start::{StartFault, first};
pub use updates::{ReadFault, Updates};
pub use watch::{PolicyFile, watch};

/// What policies are called with; the same for all of them.
pub struct Surroundings {
    /// The engine, as far as it is granted.
    pub capability: Capability,
    /// What the operator configured.
    pub settings: types::Settings,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// The policy that serves, and those before it.
pub struct Policies {
    pub(crate) surroundings: Surroundings,
    serving: ArcSwap<Generation>,
    history: Mutex<History>,
    shadows: Arc<Shadows>,
    /// How many calls of one operation in a row may fail before the previous policy comes back.
    failures_allowed: u32,
}

/// There is no policy to return to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no previous policy to return to")]
pub struct NothingBefore;

impl Policies {
    /// Begins with this policy as generation 1.
    #[must_use]
    pub fn new(first: Admitted, failures_allowed: u32, surroundings: Surroundings) -> Arc<Self> {
        Arc::new(Self {
            shadows: Shadows::new(Arc::clone(&surroundings.metrics), failures_allowed),
            surroundings,
            serving: ArcSwap::new(Generation::new(1, first)),
            history: Mutex::default(),
            failures_allowed,
        })
    }

    /// The operations of the policy that serves now. They stay with it whatever happens afterwards.
    #[must_use]
    pub fn operations(self: &Arc<Self>) -> Operations {
        Operations::new(Arc::clone(self), self.serving())
    }

    /// The generation that serves now.
    #[must_use]
    pub fn serving(&self) -> Arc<Generation> {
        self.serving.load_full()
    }

    /// The generation that would come back. `None`: there has been no other, or it has come back already.
    #[must_use]
    pub fn previous(&self) -> Option<Arc<Generation>> {
        self.history().previous.clone()
    }

    /// The place for a policy that is tried beside the serving one.
    #[must_use]
    pub fn shadows(&self) -> &Arc<Shadows> {
        &self.shadows
    }

    /// The policies that failed here and were replaced for it.
    #[must_use]
    pub fn withdrawals(&self) -> Vec<Withdrawal> {
        self.history().withdrawals().cloned().collect()
    }

    /// Lets another policy serve from now on.
    pub fn exchange(&self, admitted: Admitted) -> Arc<Generation> {
        let mut history = self.history();
        let replaced = self.serve(&mut history, admitted);
        let serving = self.serving();
        // A policy that is brought in a second time is not its own way back.
        if !replaced.is_same(&serving) {
            history.previous = Some(replaced);
        }
        serving
    }

    /// Lets the previous policy serve again, at an operator's wish. Once more, and it is undone.
    ///
    /// # Errors
    /// [`NothingBefore`].
    pub fn roll_back(&self) -> Result<Arc<Generation>, NothingBefore> {
        let mut history = self.history();
        let previous = history.previous.take().ok_or(NothingBefore)?;
        let replaced = self.serve(&mut history, returning(&previous, "an operator asked for it".to_owned()));
        history.previous = Some(replaced);
        Ok(self.serving())
    }

    /// Counts the end of a call; a policy that has failed once too often is withdrawn.
    pub(crate) fn count(&self, generation: &Arc<Generation>, operation: &'static str, outcome: Result<(), &CallError>) {
        let in_a_row = generation.count(operation, outcome);
        if let (Err(error), true) = (outcome, in_a_row >= self.failures_allowed) {
            let reason = format!("{in_a_row} calls of {operation} in a row failed, the last one so: {error}");
            self.withdraw(generation, reason);
        }
    }

    /// Lets the runs of a failing policy go on with the serving one. If it is that itself, the previous one
    /// comes back, and is used up by that: two bad policies must not take turns for ever.
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
        history.note(Withdrawal { digest: failing.admitted.anatomy.digest, reason: reason.clone() });
        let previous = history.previous.take_if(|previous| is_serving || Arc::ptr_eq(previous, failing));
        if let Some(previous) = previous.filter(|_| is_serving) {
            self.serve(&mut history, returning(&previous, reason));
        }
    }

    /// Stores a new generation; the one that it replaces.
    fn serve(&self, history: &mut History, admitted: Admitted) -> Arc<Generation> {
        let replaced = self.serving();
        let generation = Generation::new(history.next_number(), admitted);
        tracing::info!(
            generation = generation.number,
            digest = %generation.admitted.anatomy.digest,
            source = %generation.admitted.source,
            "another policy serves from now on"
        );
        self.surroundings.metrics.policy_generation(generation.number);
        self.shadows.serves(&generation.admitted.anatomy.digest);
        self.serving.store(generation);
        replaced
    }

    fn history(&self) -> MutexGuard<'_, History> {
        // It is consistent between any two statements that change it.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn returning(previous: &Generation, reason: String) -> Admitted {
    Admitted { source: Source::Return { generation: previous.number, reason }, ..previous.admitted.clone() }
}
