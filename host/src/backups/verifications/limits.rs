//! How long a verification may take: whatever a policy or an engine answers, it ends.

use std::time::Duration;

use tokio::time::Instant;

use crate::sandbox::CallError;
use crate::sandbox::types::{ByteCount, Error};
use crate::sandbox::verifications::{CheckOutcome, VerificationRun};

/// For so long a step is tried again that fails for a reason that seldom passes by itself, such as a missing privilege.
const MAX_LASTING: Duration = Duration::from_secs(2 * 60);
/// It is not one failure and another one much later.
const MIN_FAILURES: u32 = 5;
/// For so long there may be no progress, for whatever reason.
const MAX_STANDSTILL: Duration = Duration::from_secs(60 * 60);
/// Longer than any copy takes.
const MAX_TIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How far a run is. Any change counts as progress, but of the bytes only more than ever before: copies that are lost again and
/// again are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Position {
    checked: usize,
    decided: usize,
    bytes: u64,
}

pub(super) struct Limits {
    begun: Instant,
    position: Position,
    progressed: Instant,
    /// Since when steps fail for a lasting reason, and how many have, without progress in between.
    failing: Option<(Instant, u32)>,
}

impl Limits {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { begun: now, position: Position::default(), progressed: now, failing: None }
    }

    /// After a step that went well. Whether it was progress.
    pub(super) fn stepped(&mut self, run: &VerificationRun, bytes: Option<ByteCount>) -> bool {
        let position = Position {
            checked: run.indices.iter().filter(|index| index.checked).count(),
            decided: run.checks.iter().filter(|check| check.outcome != CheckOutcome::Pending).count(),
            bytes: bytes.map_or(0, |bytes| bytes.done).max(self.position.bytes),
        };
        // The lock is counted up all the same: that is no progress.
        let is_progress = std::mem::replace(&mut self.position, position) != position;
        if is_progress {
            (self.progressed, self.failing) = (Instant::now(), None);
        }
        is_progress
    }

    /// After a step that failed.
    pub(super) fn failed(&mut self, error: &CallError) {
        if is_lasting(error) {
            let (since, count) = self.failing.unwrap_or((Instant::now(), 0));
            self.failing = Some((since, count + 1));
        }
    }

    /// Why it goes on no longer.
    pub(super) fn exceeded(&self) -> Option<&'static str> {
        if self.failing.is_some_and(|(since, count)| since.elapsed() >= MAX_LASTING && count >= MIN_FAILURES) {
            return Some("steps have failed for two minutes");
        }
        if self.progressed.elapsed() >= MAX_STANDSTILL {
            return Some("nothing has changed for an hour");
        }
        (self.begun.elapsed() >= MAX_TIME).then_some("it has not ended within a week")
    }
}

/// Whether trying again is of little use: somebody has to change something.
fn is_lasting(error: &CallError) -> bool {
    match error {
        CallError::Refused(Error::EngineFailure(problem)) => problem.code == "engineAccessDenied",
        CallError::Refused(Error::Unreachable(_)) | CallError::Busy => false,
        CallError::Refused(_)
        | CallError::Trapped(_)
        | CallError::LimitByPolicy { .. }
        | CallError::LimitByData { .. }
        | CallError::BrokeContract(_)
        | CallError::Internal(_) => true,
    }
}

#[cfg(test)]
mod tests;
