//! What goes on after an answer, for as long as the host lets the handler live.
//!
//! Cutting it off at any moment loses nothing: the next request for the backup goes on.

use std::time::Duration;

use crate::bindings::optimize::backup::types::{BackupId, Error, Progress};
use crate::policy::Policy;
use crate::{clock, log};

/// What is to be done when the answer is sent.
pub(crate) enum Afterwards {
    Nothing,
    /// Take a backup to its end.
    Drive(Policy, BackupId),
    /// Delete what other instances may have added to what these runs wrote.
    LookAgain {
        policy: Policy,
        id: String,
        runs: Vec<String>,
        /// The engine was still at it when the answer was sent.
        pending: bool,
    },
}

/// The waits between steps that failed.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// When to look again after a deletion. Another instance reads the snapshots, then starts part 2: the last
/// look is after the longest time that this can take it.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

impl Afterwards {
    pub(crate) fn go_on(self) {
        match self {
            Self::Drive(policy, id) if policy.0.goes_on => drive(policy, id),
            Self::LookAgain { policy, id, runs, pending } if policy.0.goes_on && !runs.is_empty() => {
                look_again(policy, &id, &runs, pending);
            }
            Self::Nothing | Self::Drive(..) | Self::LookAgain { .. } => {}
        }
    }
}

fn drive(policy: Policy, id: BackupId) {
    let mut wait_after_failure = SHORTEST_WAIT;
    loop {
        let delay = match policy.advance(id) {
            Ok(Progress { again_in: None, backup, .. }) => {
                let reason = backup.failure_reason.unwrap_or_default();
                log::line(&format!("backup {id} has ended: {:?} {reason}", backup.state));
                return;
            }
            Ok(Progress { again_in: Some(millis), refusal: None, .. }) => {
                wait_after_failure = SHORTEST_WAIT;
                Duration::from_millis(millis)
            }
            Ok(Progress { again_in: Some(millis), refusal: Some(refusal), .. }) => {
                log::line(&format!("the engine refused part 2 of backup {id}; trying again: {refusal}"));
                grow(&mut wait_after_failure).max(Duration::from_millis(millis))
            }
            Err(Error::NotFound(_)) => {
                log::line(&format!("backup {id} was deleted while it was being made"));
                return;
            }
            Err(error) => {
                log::line(&format!("cannot go on with backup {id} at the moment: {}", error.problem().message));
                grow(&mut wait_after_failure)
            }
        };
        clock::sleep(delay);
    }
}

/// This wait; the next one is twice as long.
fn grow(wait: &mut Duration) -> Duration {
    let next = (*wait * 2).min(LONGEST_WAIT);
    std::mem::replace(wait, next)
}

/// Not soon where the engine is still at the deletion: what it still lists would be deleted a second time, and by
/// its name, which a new backup may have when that request arrives.
fn look_again(policy: Policy, id: &str, runs: &[String], pending: bool) {
    for delay in LOOK_AGAIN.into_iter().skip(usize::from(pending)) {
        clock::sleep(delay);
        match policy.delete(id, Some(runs)) {
            Ok(again) if again.snapshots.is_empty() => {}
            Ok(again) => log::line(&format!("deleted what was added to backup {id} meanwhile: {:?}", again.snapshots)),
            Err(error) => log::line(&format!("cannot look for leftovers of backup {id}: {}", error.problem().message)),
        }
    }
}
