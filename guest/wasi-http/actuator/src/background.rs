//! Work after the response, as long as the host lets the handler run.
//!
//! It can be cut off at any moment: the next request for the backup resumes it.

use std::time::Duration;

use backup_core::{LEFTOVER_CHECK_DELAYS, RunPacer};

use crate::bindings::optimize::backup::types::{BackupId, Error, Step};
use crate::policy::Policy;
use crate::{clock, log};

/// The work after a response.
pub(crate) enum Background {
    None,
    /// Drives a backup until it ends.
    Drive(Policy, BackupId),
    /// Deletes what other instances may have added to the snapshots of these runs.
    DeleteLeftovers {
        policy: Policy,
        id: String,
        runs: Vec<String>,
        /// The engine was still deleting when the response was sent.
        pending: bool,
    },
}

impl Background {
    pub(crate) fn run(self) {
        match self {
            Self::Drive(policy, id) if policy.0.resumes => drive(policy, id),
            Self::DeleteLeftovers { policy, id, runs, pending } if policy.0.resumes && !runs.is_empty() => {
                delete_leftovers(policy, &id, &runs, pending);
            }
            Self::None | Self::Drive(..) | Self::DeleteLeftovers { .. } => {}
        }
    }
}

fn drive(policy: Policy, id: BackupId) {
    let mut pacer = RunPacer::new(clock::jitter);
    loop {
        let delay = match policy.advance(id) {
            Ok(Step { again_in: None, backup, .. }) => {
                let reason = backup.failure_reason.unwrap_or_default();
                log::line(&format!("backup {id} has ended: {:?} {reason}", backup.state));
                return;
            }
            // If the engine drops it, the next step starts it again: not so soon.
            Ok(Step { again_in: Some(millis), accepted: true, .. }) => {
                pacer.after_refusal(Duration::from_millis(millis))
            }
            Ok(Step { again_in: Some(millis), refusal: None, .. }) => {
                pacer.after_progress(Duration::from_millis(millis))
            }
            Ok(Step { again_in: Some(millis), refusal: Some(refusal), .. }) => {
                log::line(&format!("the search engine refused part 2 of backup {id}; trying again: {refusal}"));
                pacer.after_refusal(Duration::from_millis(millis))
            }
            Err(Error::NotFound(_)) => {
                log::line(&format!("backup {id} was deleted while it was being made"));
                return;
            }
            Err(error) => {
                log::line(&format!("a step of backup {id} failed; trying again: {}", error.problem().message));
                pacer.after_failure()
            }
        };
        clock::sleep(delay);
    }
}

/// If the engine is still deleting, the first check is left out: it would delete by name what is still listed, and when
/// that request arrives, a new backup may have the name.
fn delete_leftovers(policy: Policy, id: &str, runs: &[String], pending: bool) {
    for delay in LEFTOVER_CHECK_DELAYS.into_iter().skip(usize::from(pending)) {
        clock::sleep(delay);
        match policy.delete(id, Some(runs)) {
            Ok(again) if again.snapshots.is_empty() => {}
            Ok(again) => log::line(&format!("deleted what was added to backup {id} meanwhile: {:?}", again.snapshots)),
            Err(error) => log::line(&format!("cannot look for leftovers of backup {id}: {}", error.problem().message)),
        }
    }
}
