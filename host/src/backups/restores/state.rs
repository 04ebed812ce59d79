use crate::sandbox::restores::{Restore, RestoreState, RestoredIndex, RestoredIndexState};
use crate::sandbox::types::ByteCount;

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
    /// What the last step told.
    pub(super) last: Option<Restore>,
    /// How it ended.
    pub(super) end: Option<Restore>,
    /// It has failed, and the engine has told ever since that the backup is restored: by an earlier restore.
    pub(super) was_complete_before: bool,
}

impl Current {
    pub(super) fn driven(subject: Subject) -> Self {
        Self {
            subject,
            is_driven: true,
            has_begun: false,
            trouble: None,
            last: None,
            end: None,
            was_complete_before: false,
        }
    }

    /// Where it stands while it is driven. The steps know the sizes from the plan: the engine need not read its storage for them.
    pub(super) fn driven_so_far(&mut self) -> Option<Restore> {
        let last = self.last.clone().filter(|_| self.is_driven)?;
        Some(self.completed(last))
    }

    /// Adds to what the engine tells: between two steps it has no trace of why one failed.
    pub(super) fn completed(&mut self, restore: Restore) -> Restore {
        if self.is_driven {
            let is_planned = self.last.is_none() && restore.state == RestoreState::Complete;
            let restore = if is_planned { to_be_replaced(restore) } else { restore };
            let next_step = self.trouble.as_ref().map(|trouble| format!("a step is being tried again: {trouble}"));
            let failure_reason = None;
            return Restore { state: RestoreState::InProgress, failure_reason, next_step, ..restore };
        }
        let is_complete = restore.state == RestoreState::Complete;
        self.was_complete_before &= is_complete;
        match &self.end {
            // Another server has restored it since.
            Some(end) if end.state == RestoreState::Failed && is_complete && !self.was_complete_before => {
                self.end = None;
                restore
            }
            Some(end) if end.state == RestoreState::Failed => Restore {
                state: RestoreState::Failed,
                failure_reason: end.failure_reason.clone(),
                next_step: end.next_step.clone(),
                ..restore
            },
            // The engine forgets it as soon as a shard moves. An index that is missing has gone since.
            Some(end) if end.state == RestoreState::Complete && is_forgotten(&restore) => end.clone(),
            _ => restore,
        }
    }
}

/// What the engine tells of an earlier restore, until the first step of this one.
fn to_be_replaced(restore: Restore) -> Restore {
    let none_of = |bytes: ByteCount| ByteCount { done: 0, ..bytes };
    let replaced = |index: RestoredIndex| RestoredIndex {
        state: RestoredIndexState::Other,
        bytes: index.bytes.map(none_of),
        ..index
    };
    let indices = restore.indices.into_iter().map(replaced).collect();
    Restore { bytes: restore.bytes.map(none_of), indices, ..restore }
}

fn is_forgotten(restore: &Restore) -> bool {
    let is_there = |index: &RestoredIndex| index.state != RestoredIndexState::Missing;
    restore.state == RestoreState::None && !restore.indices.is_empty() && restore.indices.iter().all(is_there)
}
