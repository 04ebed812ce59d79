use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Outcome;
use super::difference::excerpts;
use crate::policy::circuit_breaker::ConsecutiveFailures;
use crate::policy::self_test::told;
use crate::policy::{Admitted, ComponentInfo, Source};
use crate::sandbox::CallError;

/// How many differences are shown.
const MAX_EXAMPLES: usize = 10;

/// A shadow, and how its answers compare with those that callers got.
pub struct Report {
    pub info: Arc<ComponentInfo>,
    /// The name of the key that it is signed with.
    pub signer: Option<String>,
    pub source: Source,
    pub since: Timestamp,
    /// When it ends, if nothing ends it earlier.
    pub until: Timestamp,
    counts: Mutex<Counts>,
    over: CancellationToken,
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Calls with the same outcome as those of the serving policy.
    pub same: u64,
    pub different: u64,
    /// Calls that failed by the shadow's own fault: traps, limits, answers against the contract.
    pub failed: u64,
    /// Calls that it was not asked.
    pub skipped: u64,
    /// The first ones that were different or failed.
    pub examples: Vec<Example>,
    pub end: Option<End>,
    consecutive_failures: ConsecutiveFailures,
}

/// The end of a shadow. A call that is under way then is still counted.
#[derive(Clone, Debug)]
pub struct End {
    pub at: Timestamp,
    pub reason: EndReason,
}

/// Why a shadow ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    TimeIsUp,
    Stopped,
    Replaced,
    Serves,
    KeepsFailing { operation: &'static str, failures: u32 },
}

/// A call that the shadow answered otherwise than the serving policy.
#[derive(Clone, Debug)]
pub struct Example {
    pub at: Timestamp,
    pub operation: &'static str,
    /// The backup that was asked for, as the caller wrote it, but not at any length.
    pub id: Option<String>,
    /// The generation of the policy that served.
    pub generation: u64,
    /// What the caller got: the part that differs.
    pub served: String,
    pub shadowed: String,
    /// How many requests the shadow made to the engine that the serving policy had not made. What was
    /// read later may be different for that alone.
    pub own_requests: u64,
}

impl Report {
    pub(super) fn new(admitted: &Admitted, span: Duration) -> Self {
        let since = Timestamp::now();
        Self {
            info: Arc::clone(&admitted.info),
            signer: admitted.signer.clone(),
            source: admitted.source.clone(),
            since,
            until: since.checked_add(span).unwrap_or(Timestamp::MAX),
            counts: Mutex::default(),
            over: CancellationToken::new(),
        }
    }

    /// What has been counted so far.
    pub fn counts(&self) -> Counts {
        self.lock().clone()
    }

    pub(super) fn takes_examples(&self) -> bool {
        self.lock().examples.len() < MAX_EXAMPLES
    }

    /// Counts a call; how many of its operation have now failed in a row.
    pub(super) fn count(&self, operation: &'static str, outcome: Outcome, example: Option<Example>) -> u32 {
        let mut counts = self.lock();
        match outcome {
            Outcome::Same => counts.same += 1,
            Outcome::Different => counts.different += 1,
            Outcome::Failed => counts.failed += 1,
        }
        if let Some(example) = example.filter(|_| counts.examples.len() < MAX_EXAMPLES) {
            example.log();
            counts.examples.push(example);
        }
        counts.consecutive_failures.count(operation, outcome == Outcome::Failed)
    }

    /// Counts a call that was not made.
    pub(super) fn skip(&self) {
        self.lock().skipped += 1;
    }

    /// Notes the end. The first one counts.
    pub(super) fn end(&self, reason: EndReason) {
        let mut counts = self.lock();
        if counts.end.is_some() {
            return;
        }
        tracing::info!(
            digest = %self.info.digest,
            %reason,
            same = counts.same,
            different = counts.different,
            failed = counts.failed,
            skipped = counts.skipped,
            "a policy is no longer tried beside the serving one"
        );
        counts.end = Some(End { at: Timestamp::now(), reason });
        self.over.cancel();
    }

    /// Waits, unless the end comes before.
    pub(super) async fn unless_over<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        self.over.run_until_cancelled(wait).await
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // It is consistent between any two statements that change it.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// How many calls of the shadow have ended.
    pub fn calls(&self) -> u64 {
        self.same + self.different + self.failed
    }
}

impl Example {
    pub(super) fn new<A: Debug>(
        operation: &'static str,
        id: Option<&str>,
        generation: u64,
        served: &Result<A, CallError>,
        shadowed: &Result<A, CallError>,
        own_requests: u64,
    ) -> Self {
        const MAX_ID_CHARS: usize = 100;
        let [served, shadowed] = excerpts([&told(served), &told(shadowed)]);
        Self {
            at: Timestamp::now(),
            operation,
            id: id.map(|id| id.chars().take(MAX_ID_CHARS).collect()),
            generation,
            served,
            shadowed,
            own_requests,
        }
    }

    fn log(&self) {
        let Self { operation, id, generation, served, shadowed, own_requests, .. } = self;
        tracing::warn!(
            operation,
            backupId = id.as_deref().and_then(|id| id.parse::<u64>().ok()),
            generation,
            served,
            shadowed,
            ownRequests = own_requests,
            "the policy that is tried beside the serving one answers otherwise"
        );
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeIsUp => f.write_str("its time is up"),
            Self::Stopped => f.write_str("an operator ended it"),
            Self::Replaced => f.write_str("another one took its place"),
            Self::Serves => f.write_str("it serves now"),
            Self::KeepsFailing { operation, failures } => write!(f, "{failures} calls of {operation} in a row failed"),
        }
    }
}
