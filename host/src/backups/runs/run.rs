//! What this host knows of one run.

use std::time::Duration;

use backup_core::text::cut;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::sandbox::types::{BackupId, RunNote, SnapshotDetail, SnapshotState, Step};

pub(super) struct Run {
    /// Its identity, as in the metadata of its snapshots.
    pub(super) run_id: String,
    /// While it is driven: how to stop it.
    pub(super) driver: Option<Driver>,
    /// The engine's last refusal of part 2.
    pub(super) refusal: Option<String>,
    /// Why the last step failed, while it is being tried again.
    pub(super) trouble: Option<String>,
    /// The part, 1 or 2, that the engine accepted, until its end is seen.
    pub(super) awaited: Option<u8>,
    /// It has ended, and the engine has no trace of the part that it accepted: what the policy says of that.
    pub(super) dropped: Option<String>,
    pub(super) ended: bool,
    /// When part 1 was begun, since 1970. `None`: not known yet.
    pub(super) begun: Option<Duration>,
    /// When it began to be driven, or ceased to be.
    pub(super) since: Instant,
}

/// The two ends of stopping a driver.
#[derive(Clone, Default)]
pub(super) struct Driver {
    pub(super) stop: CancellationToken,
    pub(super) stopped: CancellationToken,
}

impl Run {
    pub(super) fn new(run_id: String, driver: Driver, refusal: Option<String>, awaited: Option<u8>) -> Self {
        let since = Instant::now();
        let driver = Some(driver);
        Self { run_id, driver, refusal, trouble: None, awaited, dropped: None, ended: false, begun: None, since }
    }

    pub(super) fn note(&self, backup_id: BackupId) -> RunNote {
        RunNote {
            backup_id,
            run_id: self.run_id.clone(),
            ended: self.ended,
            refusal: self.refusal.clone(),
            awaited: self.awaited,
        }
    }

    /// Takes over what a step has found.
    pub(super) fn observe(&mut self, step: &Step) {
        self.trouble = None;
        self.begun = begun(&step.backup.details).or(self.begun);
        self.awaited = match self.awaited {
            _ if step.accepted => Some(2),
            Some(_) if step.refusal.is_some() || is_seen(self.awaited, &step.backup.details) => None,
            awaited => awaited,
        };
        let refusal = step.refusal.clone().map(shortened);
        if step.again_in.is_some() {
            // If there is none, what the engine had against part 2 is overcome.
            self.refusal = refusal;
            return;
        }
        self.ended = true;
        self.refusal = refusal.or(self.refusal.take());
        self.dropped = step.backup.failure_reason.clone().filter(|_| self.awaited.is_some());
    }
}

/// When the first of them was begun, since 1970.
pub(super) fn begun(details: &[SnapshotDetail]) -> Option<Duration> {
    details.iter().filter_map(|snapshot| snapshot.start_time).min().map(Duration::from_millis)
}

/// The part that is being written.
pub(super) fn awaited_of(details: &[SnapshotDetail]) -> Option<u8> {
    let is_written = details.iter().any(|snapshot| snapshot.state == SnapshotState::InProgress);
    u8::try_from(details.len()).ok().filter(|_| is_written)
}

/// Whether the end of the awaited part has come.
fn is_seen(awaited: Option<u8>, details: &[SnapshotDetail]) -> bool {
    awaited_of(details).is_none() && details.len() >= awaited.map_or(0, usize::from)
}

/// A refusal can name hundreds of indices. It is kept, and is a part of each list of backups.
pub(super) fn shortened(refusal: String) -> String {
    cut(refusal, 1_000)
}
