//! A candidate that is asked what the serving policy is asked, and answers to nobody.
//!
//! ```text
//! caller ─── read ──► serving policy ── Recorded ──► engine
//!   ◄──── answer ─────┘                    │
//!                                      Recording
//! in the background:                       │
//! Witness ── read ──► shadow ─────── Replayed
//!   └─► Findings      │
//!   ◄──── answer ─────┘
//! ```
//!
//! Both see the same engine at the same moment, so what differs is the policies' doing. The shadow
//! begins when the caller has its answer, at a few places only: what finds none is not asked.

mod difference;
mod findings;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Instrument, info_span};

use super::{Admitted, Digest};
use crate::elasticsearch::{Destination, Recording};
use crate::metrics::Metrics;
use crate::policy::types::Context;
use crate::policy::{CallError, Capability, Policy, Read};
use difference::is_same;

pub use findings::{End, Ending, Example, Findings, Tally};

/// How many calls a shadow is asked at once. Of the sandbox's places, callers always have the others.
pub const PLACES: usize = 4;
/// The most that is kept of what one call read: more than the list of ten thousand backups.
const LARGEST_RECORDING: usize = 16 << 20;

/// The place for a shadow, and what became of the last one.
pub struct Shadows {
    metrics: Arc<Metrics>,
    /// How many calls in a row may fail before a shadow ends: it would only keep the processor busy.
    failures_allowed: u32,
    current: ArcSwapOption<Shadow>,
    findings: Mutex<Option<Arc<Findings>>>,
    places: Arc<Semaphore>,
}

/// A policy that answers to nobody. What it found stays when it goes.
struct Shadow {
    policy: Arc<Policy>,
    findings: Arc<Findings>,
}

/// There is no shadow to end.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no policy is being tried beside the serving one")]
pub struct NoShadow;

/// How a call of the shadow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// As that of the serving policy.
    Same,
    /// In another way.
    Different,
    /// With a failure of the shadow itself.
    Failed,
}

impl Shadows {
    pub(super) fn new(metrics: Arc<Metrics>, failures_allowed: u32) -> Arc<Self> {
        Arc::new(Self {
            metrics,
            failures_allowed,
            current: ArcSwapOption::empty(),
            findings: Mutex::default(),
            places: Arc::new(Semaphore::new(PLACES)),
        })
    }

    /// Has a policy asked what callers ask, for this long, in the place of another shadow if there is one.
    pub fn begin(self: &Arc<Self>, admitted: Admitted, span: Duration) -> Arc<Findings> {
        let findings = Arc::new(Findings::new(&admitted, span));
        tracing::info!(digest = %findings.anatomy.digest, until = %findings.until, "a policy is tried beside the serving one");
        let shadow = Arc::new(Shadow { policy: admitted.policy, findings: Arc::clone(&findings) });
        *self.lock() = Some(Arc::clone(&findings));
        if let Some(replaced) = self.current.swap(Some(Arc::clone(&shadow))) {
            replaced.findings.end(Ending::Replaced);
        }
        let shadows = Arc::clone(self);
        tokio::spawn(async move {
            if shadow.findings.unless_over(tokio::time::sleep(span)).await.is_some() {
                shadows.end(&shadow, Ending::TimeIsUp);
            }
        });
        findings
    }

    /// Ends the shadow at an operator's wish.
    ///
    /// # Errors
    /// [`NoShadow`].
    pub fn stop(&self) -> Result<Arc<Findings>, NoShadow> {
        let shadow = self.current.load_full().ok_or(NoShadow)?;
        self.end(&shadow, Ending::Stopped);
        Ok(Arc::clone(&shadow.findings))
    }

    /// What the shadow has found, or the last one if there is none.
    #[must_use]
    pub fn findings(&self) -> Option<Arc<Findings>> {
        self.lock().clone()
    }

    /// Ends the shadow if it is this policy, which serves from now on.
    pub(super) fn serves(&self, digest: &Digest) {
        if let Some(shadow) = self.current.load_full().filter(|shadow| shadow.findings.anatomy.digest == *digest) {
            self.end(&shadow, Ending::Serves);
        }
    }

    /// To be taken along by a call of the serving policy, if there is a shadow that has a place for it.
    pub(crate) fn witness(self: &Arc<Self>, engine: &Capability) -> Option<Witness> {
        let shadow = self.current.load_full()?;
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.skip(&shadow);
            return None;
        };
        let recording = Arc::new(Recording::new(LARGEST_RECORDING));
        Some(Witness { shadows: Arc::clone(self), shadow, engine: engine.clone(), recording, _place: place })
    }

    fn count(&self, shadow: &Arc<Shadow>, operation: &'static str, outcome: Outcome, example: Option<Example>) {
        self.metrics.shadow_call(outcome.word());
        let failures = shadow.findings.count(operation, outcome, example);
        if failures >= self.failures_allowed {
            self.end(shadow, Ending::KeepsFailing { operation, failures });
        }
    }

    /// No place was free, or the serving policy read too much.
    fn skip(&self, shadow: &Shadow) {
        self.metrics.shadow_call("skipped");
        shadow.findings.skip();
    }

    fn end(&self, shadow: &Arc<Shadow>, ending: Ending) {
        shadow.findings.end(ending);
        self.current.compare_and_swap(&Some(Arc::clone(shadow)), None);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Findings>>> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What goes along with one call of the serving policy, for the shadow to be asked the same.
pub(crate) struct Witness {
    shadows: Arc<Shadows>,
    shadow: Arc<Shadow>,
    engine: Capability,
    recording: Arc<Recording>,
    _place: OwnedSemaphorePermit,
}

impl Witness {
    /// The engine, for the serving policy.
    pub(crate) fn capability(&self) -> Capability {
        self.engine_as(Destination::Recorded)
    }

    /// Asks the shadow the same in the background, and compares.
    pub(crate) fn ask_shadow<R: Read>(
        self,
        read: R,
        context: Context,
        generation: u64,
        served: Result<R::Answer, CallError>,
    ) {
        tokio::spawn(async move { self.compare(&read, &context, generation, &served).await });
    }

    async fn compare<R: Read>(
        &self,
        read: &R,
        context: &Context,
        generation: u64,
        served: &Result<R::Answer, CallError>,
    ) {
        if !self.recording.is_complete() {
            return self.shadows.skip(&self.shadow);
        }
        let engine = self.engine_as(Destination::Replayed);
        let span = info_span!("shadow", digest = %self.shadow.findings.anatomy.digest, operation = R::OPERATION);
        let shadowed = read.ask(&self.shadow.policy, engine, context).instrument(span).await;
        let outcome = match &shadowed {
            Err(error) if error.is_failure_of_policy() => Outcome::Failed,
            _ if is_same(served, &shadowed) => Outcome::Same,
            _ => Outcome::Different,
        };
        let is_worth_telling = outcome != Outcome::Same && self.shadow.findings.takes_examples();
        let example =
            is_worth_telling.then(|| Example::new(read, generation, served, &shadowed, self.recording.unheard_of()));
        self.shadows.count(&self.shadow, R::OPERATION, outcome, example);
    }

    fn engine_as(&self, role: impl FnOnce(Arc<Destination>, Arc<Recording>) -> Destination) -> Capability {
        let engine = Arc::new(self.engine.destination.clone());
        Capability { destination: role(engine, Arc::clone(&self.recording)), ..self.engine.clone() }
    }
}

impl Outcome {
    /// In a word, for metrics.
    fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::Failed => "failed",
        }
    }
}
