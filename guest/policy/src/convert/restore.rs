use backup_core as core;
use backup_core::restore;

use crate::bindings::exports::optimize::backup::restores as wit;

core::restore_types!(crate::bindings::exports::optimize::backup::restores);

/// Parses the prefix of a call of `get`.
pub fn from_rename_prefix(prefix: Option<&str>) -> Result<Option<core::IndexPrefix>, core::Error> {
    Ok(prefix.map(core::IndexPrefix::parse).transpose()?)
}

impl From<wit::IndexWrites> for restore::IndexWrites {
    fn from(wit::IndexWrites { index, uuid, writes }: wit::IndexWrites) -> Self {
        Self { index, uuid, writes }
    }
}

impl From<restore::IndexWrites> for wit::IndexWrites {
    fn from(restore::IndexWrites { index, uuid, writes }: restore::IndexWrites) -> Self {
        Self { index, uuid, writes }
    }
}

impl From<restore::RestorePlan> for wit::RestorePlan {
    fn from(plan: restore::RestorePlan) -> Self {
        Self {
            backup_id: plan.backup_id.get(),
            snapshots: plan.snapshots.into_iter().map(Into::into).collect(),
            optimize_version: plan.version.map(|version| version.to_string()),
            indices: plan.indices.into_iter().map(Into::into).collect(),
            findings: plan.findings.into_iter().map(Into::into).collect(),
            writes: plan.writes.into_iter().map(Into::into).collect(),
            again_in: plan.again_in.map(core::milliseconds),
            run: plan.run.map(Into::into),
        }
    }
}

impl From<restore::PlannedIndex> for wit::PlannedIndex {
    fn from(planned: restore::PlannedIndex) -> Self {
        let restore::PlannedIndex { part, index, target, size, exists, action } = planned;
        Self { part: part.map(core::Part::number), index, target, size, exists, action: action.into() }
    }
}

impl From<restore::Finding> for wit::Finding {
    fn from(restore::Finding { code, overridden, message }: restore::Finding) -> Self {
        Self { code: code.as_str().to_owned(), severity: code.severity().into(), overridden, message }
    }
}

impl From<restore::RestoreRun> for wit::RestoreRun {
    fn from(run: restore::RestoreRun) -> Self {
        Self {
            backup_id: run.backup_id.get(),
            rename_prefix: run.rename_prefix.map(|prefix| prefix.to_string()),
            snapshots: run.snapshots,
            indices: run.indices.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<restore::RunIndex> for wit::RunIndex {
    fn from(restore::RunIndex { part, index, target, size, replaces }: restore::RunIndex) -> Self {
        Self { part: part.number(), index, target, size, replaces }
    }
}

impl From<restore::Restore> for wit::Restore {
    fn from(restore: restore::Restore) -> Self {
        Self {
            backup_id: restore.backup_id.get(),
            state: restore.state.into(),
            bytes: restore.bytes.map(Into::into),
            indices: restore.indices.into_iter().map(Into::into).collect(),
            failure_reason: restore.failure_reason,
            next_step: restore.next_step,
        }
    }
}

impl From<restore::RestoredIndex> for wit::RestoredIndex {
    fn from(restore::RestoredIndex { part, index, state, bytes }: restore::RestoredIndex) -> Self {
        Self { part: part.number(), index, state: state.into(), bytes: bytes.map(Into::into) }
    }
}

impl From<restore::RestoreStep> for wit::RestoreStep {
    fn from(restore::RestoreStep { restore, again_in, refusal }: restore::RestoreStep) -> Self {
        Self { restore: restore.into(), again_in: again_in.map(core::milliseconds), refusal }
    }
}
