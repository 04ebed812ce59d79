use crate::sandbox::restores::{Restore, RestoreState};

/// What is restored, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// The backup, as the caller wrote it.
    pub(super) id: String,
    pub(super) rename_prefix: Option<String>,
}

impl Subject {
    pub(super) fn is(&self, id: &str, rename_prefix: Option<&str>) -> bool {
        self.id == id && self.rename_prefix.as_deref() == rename_prefix
    }
}

/// The restore that is driven, or that was the last one.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub(super) subject: Subject,
    pub(super) is_driven: bool,
    /// Its plan has found nothing that stops it.
    pub(super) has_begun: bool,
    /// Why the last step did not succeed, while it is being tried again.
    pub(super) trouble: Option<String>,
    /// How it ended.
    pub(super) end: Option<Restore>,
}

impl Current {
    pub(super) fn driven(subject: Subject) -> Self {
        Self { subject, is_driven: true, has_begun: false, trouble: None, end: None }
    }

    /// Adds to what the engine tells: between two indices it has no trace of a restore, and none of why a step failed.
    pub(super) fn completed(self, restore: Restore) -> Restore {
        if self.is_driven {
            let next_step = self.trouble.map(|trouble| format!("a step is being tried again: {trouble}"));
            let failure_reason = None;
            return Restore { state: RestoreState::InProgress, failure_reason, next_step, ..restore };
        }
        match self.end {
            // What the engine calls complete can be what an earlier restore has left.
            Some(end) if end.state == RestoreState::Failed => Restore {
                state: RestoreState::Failed,
                failure_reason: end.failure_reason,
                next_step: end.next_step,
                ..restore
            },
            _ => restore,
        }
    }
}
