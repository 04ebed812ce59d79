use std::time::Duration;

use super::{Check, CheckName, CheckOutcome, VerificationHolder};
use crate::text::cut;
use crate::{BackupId, ByteCount, Part, Timestamp};

/// A verification that has begun, and what it has found so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationRun {
    /// The backup.
    pub backup_id: BackupId,
    /// The run: that of the context in which it began.
    pub run_id: String,
    /// What the lock tells.
    pub beat: u64,
    /// When that was counted up.
    pub beaten: Timestamp,
    /// The UUIDs of the snapshots, by part.
    pub snapshots: Vec<String>,
    /// What it verifies.
    pub indices: Vec<VerifiedIndex>,
    /// The checks. If none is pending, only what was made is left to delete.
    pub checks: Vec<Check>,
}

/// An index of a [`VerificationRun`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedIndex {
    /// The part that has it.
    pub part: Part,
    /// Its name in the backup.
    pub index: String,
    /// The size of its primary shards.
    pub size: Option<u64>,
    /// How many documents its copy has.
    pub documents: Option<u64>,
    /// It was looked at.
    pub checked: bool,
}

/// The result of one step of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationStep {
    /// The run after this step.
    pub run: VerificationRun,
    /// The bytes that were copied, as far as they are known.
    pub bytes: Option<ByteCount>,
    /// When to take the next step. `None`: it has ended.
    pub again_in: Option<Duration>,
    /// The engine's refusal of this step, which can pass.
    pub refusal: Option<String>,
}

/// The longest text of what a check has found.
const MAX_FOUND_BYTES: usize = 4_000;

impl VerificationRun {
    /// What the lock tells while it is this run's.
    #[must_use]
    pub fn holder(&self) -> VerificationHolder {
        VerificationHolder { backup_id: self.backup_id, run_id: self.run_id.clone(), beat: self.beat }
    }

    /// Whether every check has ended, so that only what was made is left to delete.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.checks.iter().all(|check| check.outcome != CheckOutcome::Pending)
    }

    /// Ends a check. One that has ended stays as it is.
    pub(crate) fn decide(&mut self, name: CheckName, outcome: CheckOutcome, found: impl Into<String>) {
        let is_meant = |check: &&mut Check| check.name == name.as_str() && check.outcome == CheckOutcome::Pending;
        if let Some(check) = self.checks.iter_mut().find(is_meant) {
            (check.outcome, check.found) = (outcome, cut(found.into(), MAX_FOUND_BYTES));
        }
    }

    /// Notes a fault of an index. The check goes on with the other indices.
    pub(crate) fn note_fault(&mut self, fault: &str) {
        let is_meant = |check: &&mut Check| check.name == CheckName::Restored.as_str();
        if let Some(check) = self.checks.iter_mut().find(is_meant) {
            let separator = if check.found.is_empty() { "" } else { "; " };
            check.found = cut(format!("{}{separator}{fault}", check.found), MAX_FOUND_BYTES);
        }
    }

    /// The faults of indices so far.
    pub(crate) fn faults(&self) -> &str {
        let restored = self.checks.iter().find(|check| check.name == CheckName::Restored.as_str());
        restored.map(|check| check.found.as_str()).unwrap_or_default()
    }

    /// Ends all checks that have not ended.
    pub(crate) fn skip_pending(&mut self, reason: &str) {
        for check in self.checks.iter_mut().filter(|check| check.outcome == CheckOutcome::Pending) {
            (check.outcome, check.found) = (CheckOutcome::Skipped, reason.to_owned());
        }
    }
}
