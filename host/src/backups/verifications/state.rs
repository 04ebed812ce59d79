use std::collections::BTreeMap;

use backup_actuator::VerificationState;

use super::Verification;
use crate::sandbox::CallError;
use crate::sandbox::types::{BackupId, ByteCount, Error};
use crate::sandbox::verifications::{Check, CheckOutcome, VerificationHolder, VerificationRun};

/// How many ends are remembered.
const MAX_ENDS: usize = 1000;

/// Something else has answered in the engine's place: the request may have been executed.
const ANSWER_INVALID: &str = "engineAnswerInvalid";

#[derive(Default)]
pub(super) struct State {
    pub(super) current: Option<Current>,
    /// The backup that another host of the installation was verifying when it was last looked for.
    pub(super) elsewhere: Option<BackupId>,
    pub(super) left: Left,
    /// How the last verification of each backup ended here.
    ends: BTreeMap<BackupId, End>,
}

/// What is left of the last verification that was begun here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Left {
    /// None has made anything here.
    #[default]
    NotBegun,
    Nothing,
    /// Something, or nobody knows.
    Something,
}

impl Left {
    /// What there can be once it was tried to begin one: at least the lock, unless it is known that it was not taken.
    pub(super) fn after_begin(begun: &Result<VerificationRun, CallError>) -> Self {
        match begun {
            Err(
                CallError::Busy
                | CallError::Refused(
                    Error::InvalidRequest(_) | Error::Configuration(_) | Error::Conflict(_) | Error::NotFound(_),
                ),
            ) => Self::NotBegun,
            Err(CallError::Refused(Error::EngineFailure(problem))) if problem.code != ANSWER_INVALID => Self::NotBegun,
            _ => Self::Something,
        }
    }
}

/// The verification that is driven.
pub(super) struct Current {
    /// The backup, as the caller wrote it.
    pub(super) id: String,
    /// `None`: it is being begun.
    pub(super) run: Option<VerificationRun>,
    pub(super) bytes: Option<ByteCount>,
    /// Why the last step did not succeed, while it is being tried again.
    pub(super) trouble: Option<String>,
}

/// How a verification ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) backup_id: BackupId,
    /// The run that made the backup: a later backup of the same ID is another one.
    pub(super) made_by: Option<String>,
    pub(super) run_id: String,
    pub(super) checks: Vec<Check>,
    /// Why it has not passed.
    pub(super) failure: Option<String>,
    /// In milliseconds since 1970.
    pub(super) at: u64,
}

impl State {
    pub(super) fn end_of(&self, id: BackupId, made_by: Option<&str>) -> Option<End> {
        self.ends.get(&id).filter(|end| end.made_by.as_deref() == made_by).cloned()
    }

    pub(super) fn remember(&mut self, end: End) {
        while self.ends.len() >= MAX_ENDS {
            let Some(oldest) = self.ends.values().min_by_key(|end| end.at).map(|end| end.backup_id) else { break };
            self.ends.remove(&oldest);
        }
        self.ends.insert(end.backup_id, end);
    }
}

impl Current {
    pub(super) fn new(id: String) -> Self {
        Self { id, run: None, bytes: None, trouble: None }
    }

    pub(super) fn is_of(&self, id: &str) -> bool {
        self.id == id || self.backup_id().is_some_and(|own| id.parse() == Ok(own))
    }

    fn backup_id(&self) -> Option<BackupId> {
        self.run.as_ref().map(|run| run.backup_id).or_else(|| self.id.parse().ok())
    }

    /// `None`: nobody knows yet whether there is such a backup.
    pub(super) fn told(&self) -> Option<Verification> {
        let run = self.run.as_ref()?;
        let next_step = self.trouble.as_ref().map(|trouble| format!("a step is being tried again: {trouble}"));
        Some(Verification {
            state: VerificationState::InProgress,
            run_id: Some(run.run_id.clone()),
            checks: run.checks.clone(),
            bytes: self.bytes,
            next_step,
            ..Verification::none(run.backup_id)
        })
    }
}

impl End {
    pub(super) fn has_passed(&self) -> bool {
        self.failure.is_none()
    }

    pub(super) fn told(self) -> Verification {
        let state = if self.has_passed() { VerificationState::Passed } else { VerificationState::Failed };
        Verification {
            state,
            run_id: Some(self.run_id),
            checks: self.checks,
            ended: Some(self.at),
            failure_reason: self.failure,
            ..Verification::none(self.backup_id)
        }
    }
}

impl Verification {
    pub(super) fn none(backup_id: BackupId) -> Self {
        Self {
            backup_id,
            state: VerificationState::None,
            run_id: None,
            checks: Vec::new(),
            bytes: None,
            ended: None,
            failure_reason: None,
            next_step: None,
        }
    }

    /// Only the host that drives it knows more.
    pub(super) fn elsewhere(holder: VerificationHolder) -> Self {
        let next_step = "another server verifies it, or was stopped while it did: that one tells more";
        Self {
            state: VerificationState::InProgress,
            run_id: Some(holder.run_id),
            next_step: Some(next_step.to_owned()),
            ..Self::none(holder.backup_id)
        }
    }
}

/// The checks that have failed, with what was found.
pub(super) fn failures(checks: &[Check]) -> Option<String> {
    let failed = checks.iter().filter(|check| check.outcome == CheckOutcome::Failed);
    let failed: Vec<String> = failed.map(|check| format!("{}: {}", check.name, check.found)).collect();
    if failed.is_empty() { None } else { Some(failed.join("; ")) }
}
