//! What is in the repository.

use std::time::Duration;

use backup_core::BackupState;
use prometheus::{
    Gauge, IntGauge, IntGaugeVec, Registry, register_gauge_with_registry, register_int_gauge_vec_with_registry,
    register_int_gauge_with_registry,
};

use super::integer;
use crate::clock;

/// The states that a label has.
const STATES: [BackupState; 5] = [
    BackupState::Complete,
    BackupState::InProgress,
    BackupState::Failed,
    BackupState::Incompatible,
    BackupState::Incomplete,
];

pub(crate) struct BackupMetrics {
    backups: IntGaugeVec,
    consecutive_failures: IntGauge,
    read: Gauge,
    last_end: Gauge,
    last_duration: Gauge,
    last_bytes: IntGauge,
    last_indices: IntGauge,
}

/// The last backup that can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastSuccess {
    /// Since 1970, by the engine's clock.
    pub started: Duration,
    pub ended: Duration,
    /// `None`: the engine does not tell.
    pub bytes: Option<u64>,
    pub indices: usize,
}

impl BackupMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            backups: register_int_gauge_vec_with_registry!(
                "optimize_backup_backups",
                "Backups in the repository by state",
                &["state"],
                registry
            )?,
            consecutive_failures: register_int_gauge_with_registry!(
                "optimize_backup_consecutive_failures",
                "The newest backups in the repository that cannot be restored, up to the last one that can",
                registry
            )?,
            read: register_gauge_with_registry!(
                "optimize_backup_repository_read_timestamp_seconds",
                "When this server last read the repository's list of snapshots, 0 if never",
                registry
            )?,
            last_end: register_gauge_with_registry!(
                "optimize_backup_last_success_timestamp_seconds",
                "When the last backup in the repository that can be restored ended, 0 if there is none",
                registry
            )?,
            last_duration: register_gauge_with_registry!(
                "optimize_backup_last_success_duration_seconds",
                "How long that backup took, from the start of part 1 to the end of part 2",
                registry
            )?,
            last_bytes: register_int_gauge_with_registry!(
                "optimize_backup_last_success_bytes",
                "How much data that backup has, 0 if the search engine does not tell",
                registry
            )?,
            last_indices: register_int_gauge_with_registry!(
                "optimize_backup_last_success_indices",
                "How many indices that backup has",
                registry
            )?,
        };
        for state in STATES {
            metrics.backups.with_label_values(&[word(state)]);
        }
        Ok(metrics)
    }

    /// Takes over what the repository's list has.
    pub(crate) fn listed(&self, count_of: impl Fn(BackupState) -> usize, consecutive_failures: usize) {
        for state in STATES {
            self.backups.with_label_values(&[word(state)]).set(integer(count_of(state)));
        }
        self.consecutive_failures.set(integer(consecutive_failures));
        self.read.set(clock::since_epoch().as_secs_f64());
    }

    /// `None`: there is none.
    pub(crate) fn last_success(&self, last: Option<LastSuccess>) {
        let time = |time: fn(LastSuccess) -> Duration| last.map_or(0.0, |last| time(last).as_secs_f64());
        self.last_end.set(time(|last| last.ended));
        self.last_duration.set(time(|last| last.ended.saturating_sub(last.started)));
        self.last_bytes.set(integer(last.and_then(|last| last.bytes).unwrap_or_default()));
        self.last_indices.set(integer(last.map_or(0, |last| last.indices)));
    }
}

/// The label for a state.
pub(super) fn word(state: BackupState) -> &'static str {
    match state {
        BackupState::Complete => "complete",
        BackupState::InProgress => "in_progress",
        BackupState::Failed => "failed",
        BackupState::Incompatible => "incompatible",
        BackupState::Incomplete => "incomplete",
    }
}
