//! A candidate that receives copies of callers' reads; its answers are compared with the served ones and discarded.
//!
//! ```text
//! caller ─── read ──► serving policy ── Recorded ──► engine
//!   ◄──── answer ─────┘                    │
//!                                      Recording
//! in the background:                       │
//! Mirror ─── read ──► shadow ───────── Replayed
//!   └─► Report        │
//!   ◄──── answer ─────┘
//! ```
//!
//! Both calls read the same of the engine and have the same time, so differences come from the policies. Few calls are
//! mirrored at once; the others are counted as skipped.

mod difference;
mod report;

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Instrument, error_span};

use super::calls::{CallIdentity, Unobserved};
use super::{Admitted, Digest, Generation, PolicyCalls};
use crate::elasticsearch::{Capability, Destination, Recording};
use crate::metrics::Metrics;
use crate::sandbox::{CallError, MAX_SHADOW_CALLS, Mark, Purpose};
use difference::is_same;

pub use report::{Counts, End, EndReason, Example, Report};

/// How many calls of a shadow run at once: they wait for nobody else's permits.
pub const PERMITS: usize = MAX_SHADOW_CALLS as usize;
/// The most that is recorded of one call: more than a list of ten thousand backups.
const MAX_RECORDING_BYTES: usize = 16 << 20;

/// The current shadow, and the report of the last one.
pub struct Shadows {
    metrics: Arc<Metrics>,
    /// How many consecutive calls may fail before a shadow ends.
    max_failures: u32,
    current: ArcSwapOption<Shadow>,
    report: Mutex<Option<Arc<Report>>>,
    permits: Arc<Semaphore>,
}

struct Shadow {
    generation: Arc<Generation>,
    report: Arc<Report>,
}

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
    Failed,
}

impl Shadows {
    pub(super) fn new(metrics: Arc<Metrics>, max_failures: u32) -> Arc<Self> {
        Arc::new(Self {
            metrics,
            max_failures,
            current: ArcSwapOption::empty(),
            report: Mutex::default(),
            permits: Arc::new(Semaphore::new(PERMITS)),
        })
    }

    /// Makes a policy the shadow for this long; it replaces another one.
    pub fn begin(self: &Arc<Self>, admitted: Admitted, span: Duration) -> Arc<Report> {
        let report = Arc::new(Report::new(&admitted, span));
        tracing::info!(digest = %report.info.digest, until = %report.until, "a policy is tried beside the serving one");
        let shadow = Arc::new(Shadow { generation: Generation::new(0, admitted), report: Arc::clone(&report) });
        *self.lock() = Some(Arc::clone(&report));
        if let Some(replaced) = self.current.swap(Some(Arc::clone(&shadow))) {
            replaced.report.end(EndReason::Replaced);
        }
        let shadows = Arc::clone(self);
        tokio::spawn(async move {
            if shadow.report.unless_over(tokio::time::sleep(span)).await.is_some() {
                shadows.end(&shadow, EndReason::TimeIsUp);
            }
        });
        report
    }

    /// Ends the shadow at an operator's wish.
    pub fn stop(&self) -> Result<Arc<Report>, NoShadow> {
        let shadow = self.current.load_full().ok_or(NoShadow)?;
        self.end(&shadow, EndReason::Stopped);
        Ok(Arc::clone(&shadow.report))
    }

    /// Of the current shadow, or of the last one.
    pub fn report(&self) -> Option<Arc<Report>> {
        self.lock().clone()
    }

    /// Ends the shadow if it is this policy, which serves from now on.
    pub(super) fn serves(&self, digest: &Digest) {
        if let Some(shadow) = self.current.load_full().filter(|shadow| shadow.report.info.digest == *digest) {
            self.end(&shadow, EndReason::Serves);
        }
    }

    /// Takes a permit to copy a call to the shadow, if there is one.
    pub(super) fn mirror(self: &Arc<Self>, calls: &PolicyCalls) -> Option<Mirror> {
        let shadow = self.current.load_full()?;
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            self.skip(&shadow);
            return None;
        };
        let recording = Arc::new(Recording::new(MAX_RECORDING_BYTES));
        let (engine, identity) = (calls.capability(), CallIdentity::now());
        Some(Mirror { shadows: Arc::clone(self), shadow, engine, identity, recording, _permit: permit })
    }

    fn count(&self, shadow: &Arc<Shadow>, operation: &'static str, outcome: Outcome, example: Option<Example>) {
        self.metrics.policy.shadow_call(outcome.word());
        let failures = shadow.report.count(operation, outcome, example);
        if failures >= self.max_failures {
            self.end(shadow, EndReason::KeepsFailing { operation, failures });
        }
    }

    /// No permit was free, or the serving policy read too much.
    fn skip(&self, shadow: &Shadow) {
        self.metrics.policy.shadow_call("skipped");
        shadow.report.skip();
    }

    fn end(&self, shadow: &Arc<Shadow>, reason: EndReason) {
        shadow.report.end(reason);
        self.current.compare_and_swap(&Some(Arc::clone(shadow)), None);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Report>>> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies one read of a caller to the shadow.
pub(super) struct Mirror {
    shadows: Arc<Shadows>,
    shadow: Arc<Shadow>,
    engine: Capability,
    identity: CallIdentity,
    recording: Arc<Recording>,
    _permit: OwnedSemaphorePermit,
}

impl Mirror {
    /// The serving policy's call, recorded.
    pub(super) fn recorded(&self, calls: &PolicyCalls) -> PolicyCalls {
        calls.clone().with_capability(self.engine_as(Destination::Recorded), self.identity.clone())
    }

    /// Makes the same call of the shadow in the background, and compares the outcomes.
    pub(super) fn compare_in_background<A, F>(
        self,
        operation: &'static str,
        id: Option<&str>,
        calls: &PolicyCalls,
        served: Result<A, CallError>,
        call: impl Fn(PolicyCalls) -> F + Send + 'static,
    ) where
        A: Debug + PartialEq + Send + Sync + 'static,
        F: Future<Output = Result<A, CallError>> + Send + 'static,
    {
        if !self.recording.is_complete() {
            return self.shadows.skip(&self.shadow);
        }
        let serving = calls.generation().number;
        let replayed = calls.of_generation(Arc::clone(&self.shadow.generation), Arc::new(Unobserved));
        let replayed = replayed.with_capability(self.engine_as(Destination::Replayed), self.identity.clone());
        let replayed = replayed.for_purpose(Purpose::Shadow);
        let span = error_span!("shadow", digest = %self.shadow.report.info.digest, operation);
        let id = id.map(str::to_owned);
        let shadowed = call(replayed).instrument(span);
        tokio::spawn(async move {
            let shadowed = shadowed.await;
            // A list of ten thousand backups makes megabytes of text.
            tokio::task::spawn_blocking(move || self.compare(operation, id.as_deref(), serving, &served, &shadowed));
        });
    }

    fn compare<A: Debug + PartialEq>(
        self,
        operation: &'static str,
        id: Option<&str>,
        serving: u64,
        served: &Result<A, CallError>,
        shadowed: &Result<A, CallError>,
    ) {
        let Some(outcome) = Outcome::of(served, shadowed) else { return self.shadows.skip(&self.shadow) };
        let example = (outcome != Outcome::Same && self.shadow.report.takes_examples())
            .then(|| Example::new(operation, id, serving, served, shadowed, self.recording.misses()));
        self.shadows.count(&self.shadow, operation, outcome, example);
    }

    fn engine_as(&self, role: impl FnOnce(Arc<Destination>, Arc<Recording>) -> Destination) -> Capability {
        let engine = Arc::new(self.engine.destination.clone());
        let destination = role(engine, Arc::clone(&self.recording));
        Capability { destination, ..self.engine.clone().counted_by(None) }
    }
}

impl Outcome {
    /// `None`: other calls or the host are why one of them has no answer.
    fn of<A: PartialEq>(served: &Result<A, CallError>, shadowed: &Result<A, CallError>) -> Option<Self> {
        let is_unjudged = |error: &CallError| matches!(error, CallError::Busy | CallError::Internal(_));
        match (served, shadowed) {
            (Err(error), _) | (_, Err(error)) if is_unjudged(error) => None,
            (_, Err(error)) if error.mark() == Some(Mark::Bad) => Some(Self::Failed),
            _ if is_same(served, shadowed) => Some(Self::Same),
            _ => Some(Self::Different),
        }
    }

    /// The label of the metric.
    fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::Failed => "failed",
        }
    }
}
