//! What this server drives: runs and deletions.

use std::time::Duration;

use backup_core::BackupState;
use prometheus::{
    Gauge, HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry, histogram_opts, register_gauge_with_registry,
    register_histogram_vec_with_registry, register_int_counter_vec_with_registry, register_int_counter_with_registry,
    register_int_gauge_with_registry,
};

use super::backups::word;
use super::integer;

/// From seconds to a day.
const SECONDS: [f64; 12] = [5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0];

/// The states in which a run can end.
const ENDS: [BackupState; 4] =
    [BackupState::Complete, BackupState::Failed, BackupState::Incomplete, BackupState::Incompatible];

pub(crate) struct RunMetrics {
    active: IntGauge,
    oldest: Gauge,
    ended: IntCounterVec,
    seconds: HistogramVec,
    retried: IntCounter,
    found_too_late: IntCounter,
    deletions_pending: IntGauge,
    deletions_ended: IntCounterVec,
}

impl RunMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            active: register_int_gauge_with_registry!(
                "optimize_backup_runs_active",
                "Backups that this server is driving",
                registry
            )?,
            oldest: register_gauge_with_registry!(
                "optimize_backup_oldest_run_age_seconds",
                "How long ago the oldest of them was begun, 0 if there is none",
                registry
            )?,
            ended: register_int_counter_vec_with_registry!(
                "optimize_backup_runs_ended_total",
                "Backups that this server has driven to their end by state",
                &["state"],
                registry
            )?,
            seconds: register_histogram_vec_with_registry!(
                histogram_opts!(
                    "optimize_backup_run_seconds",
                    "How long these backups took from the start of part 1 by state",
                    SECONDS.to_vec()
                ),
                &["state"],
                registry
            )?,
            retried: register_int_counter_with_registry!(
                "optimize_backup_run_retries_total",
                "Steps of a run that failed or were refused, and were tried again",
                registry
            )?,
            found_too_late: register_int_counter_with_registry!(
                "optimize_backup_runs_found_too_late_total",
                "Backups of the last day that this server found without a part 2, too late to start it",
                registry
            )?,
            deletions_pending: register_int_gauge_with_registry!(
                "optimize_backup_deletions_pending",
                "Deletions that the search engine is still working on",
                registry
            )?,
            deletions_ended: register_int_counter_vec_with_registry!(
                "optimize_backup_deletions_ended_total",
                "Deletions by outcome",
                &["outcome"],
                registry
            )?,
        };
        for state in ENDS {
            metrics.ended.with_label_values(&[word(state)]);
            metrics.seconds.with_label_values(&[word(state)]);
        }
        for outcome in ["ok", "failed"] {
            metrics.deletions_ended.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }

    pub(crate) fn started(&self) {
        self.active.inc();
    }

    pub(crate) fn stopped(&self) {
        self.active.dec();
    }

    pub(crate) fn oldest(&self, age: Duration) {
        self.oldest.set(age.as_secs_f64());
    }

    pub(crate) fn retried(&self) {
        self.retried.inc();
    }

    pub(crate) fn found_too_late(&self) {
        self.found_too_late.inc();
    }

    /// `took`: `None` if the engine has no trace of it.
    pub(crate) fn ended(&self, state: BackupState, took: Option<Duration>) {
        self.ended.with_label_values(&[word(state)]).inc();
        if let Some(took) = took {
            self.seconds.with_label_values(&[word(state)]).observe(took.as_secs_f64());
        }
    }

    pub(crate) fn deletions_pending(&self, count: usize) {
        self.deletions_pending.set(integer(count));
    }

    pub(crate) fn deletion_ended(&self, failed: bool) {
        self.deletions_ended.with_label_values(&[if failed { "failed" } else { "ok" }]).inc();
    }
}
