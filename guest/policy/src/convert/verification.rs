use backup_core as core;
use backup_core::verification;

use super::from_id;
use crate::bindings::exports::optimize::backup::verifications as wit;

core::verification_types!(crate::bindings::exports::optimize::backup::verifications);

/// Parses the holder of a call of `clear`.
pub fn from_holder(holder: wit::VerificationHolder) -> Result<verification::VerificationHolder, core::Error> {
    let wit::VerificationHolder { backup_id, run_id, beat } = holder;
    Ok(verification::VerificationHolder { backup_id: from_id(backup_id)?, run_id, beat })
}

impl From<verification::VerificationRun> for wit::VerificationRun {
    fn from(run: verification::VerificationRun) -> Self {
        Self {
            backup_id: run.backup_id.get(),
            run_id: run.run_id,
            beat: run.beat,
            beaten: run.beaten.0,
            snapshots: run.snapshots,
            indices: run.indices.into_iter().map(Into::into).collect(),
            checks: run.checks.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<verification::VerifiedIndex> for wit::VerifiedIndex {
    fn from(verified: verification::VerifiedIndex) -> Self {
        let verification::VerifiedIndex { part, index, size, documents, checked } = verified;
        Self { part: part.number(), index, size, documents, checked }
    }
}

impl From<verification::Check> for wit::Check {
    fn from(verification::Check { name, outcome, found }: verification::Check) -> Self {
        Self { name, outcome: outcome.into(), found }
    }
}

impl From<verification::VerificationStep> for wit::VerificationStep {
    fn from(verification::VerificationStep { run, bytes, again_in, refusal }: verification::VerificationStep) -> Self {
        Self { run: run.into(), bytes: bytes.map(Into::into), again_in: again_in.map(core::milliseconds), refusal }
    }
}

impl From<verification::VerificationTraces> for wit::VerificationTraces {
    fn from(verification::VerificationTraces { holder, indices }: verification::VerificationTraces) -> Self {
        let holder = holder.map(|verification::VerificationHolder { backup_id, run_id, beat }| {
            wit::VerificationHolder { backup_id: backup_id.get(), run_id, beat }
        });
        Self { holder, indices }
    }
}
