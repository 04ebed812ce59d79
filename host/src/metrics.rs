//! What is counted, under `/actuator/prometheus`.

use std::time::Duration;

use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

use backup_core::BackupState;

use crate::clock;

/// The host's metrics.
pub struct Metrics {
    registry: Registry,
    policy_calls: IntCounterVec,
    policy_seconds: HistogramVec,
    policy_generation: IntGauge,
    shadow_calls: IntCounterVec,
    runs_active: IntGauge,
    runs_ended: IntCounterVec,
    runs_retried: IntCounter,
    runs_found_too_late: IntCounter,
    last_success: Gauge,
    deletions_pending: IntGauge,
    deletions_ended: IntCounterVec,
    expired: IntCounterVec,
    next_slot: IntGauge,
    slots: IntCounterVec,
}

/// What became of a slot of the schedule on this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotOutcome {
    /// It has begun the backup, and that is complete.
    Complete,
    /// It has begun the backup, and that cannot be restored.
    Failed,
    /// Another server has begun it, or somebody has made one since.
    Taken,
    /// No backup could be begun before the next slot.
    Missed,
}

impl SlotOutcome {
    const ALL: [Self; 4] = [Self::Complete, Self::Failed, Self::Taken, Self::Missed];

    fn label(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Taken => "taken",
            Self::Missed => "missed",
        }
    }
}

impl Metrics {
    /// Registers all metrics.
    ///
    /// # Errors
    /// If two have one name.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counter = |name, help, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let metrics = Self {
            policy_calls: counter(
                "optimize_backup_policy_calls_total",
                "Calls of the policy by operation and outcome (ok, refused, trapped, broke_contract, limited, busy, internal)",
                &["operation", "outcome"],
            )?,
            policy_seconds: HistogramVec::new(
                HistogramOpts::new(
                    "optimize_backup_policy_call_seconds",
                    "Duration of calls of the policy, the search engine's answers included",
                ),
                &["operation"],
            )?,
            policy_generation: IntGauge::new(
                "optimize_backup_policy_generation",
                "The generation of the policy that serves, counted from 1 at the start of the host",
            )?,
            shadow_calls: counter(
                "optimize_backup_policy_shadow_calls_total",
                "Calls of a policy that is tried beside the serving one, by outcome (same, different, failed, skipped)",
                &["outcome"],
            )?,
            runs_active: IntGauge::new("optimize_backup_runs_active", "Backups that this host is driving")?,
            runs_ended: counter(
                "optimize_backup_runs_ended_total",
                "Backups that this host has driven to their end, by state",
                &["state"],
            )?,
            runs_retried: IntCounter::new(
                "optimize_backup_run_retries_total",
                "Steps of a run that failed or were refused, and were tried again",
            )?,
            runs_found_too_late: IntCounter::new(
                "optimize_backup_runs_found_too_late_total",
                "Backups of the last day that this host found without a part 2, too late to start it",
            )?,
            last_success: Gauge::new(
                "optimize_backup_last_success_timestamp_seconds",
                "When this host last drove a backup to COMPLETE, 0 if never",
            )?,
            deletions_pending: IntGauge::new(
                "optimize_backup_deletions_pending",
                "Deletions that the search engine is still working on",
            )?,
            deletions_ended: counter(
                "optimize_backup_deletions_ended_total",
                "Deletions by outcome (ok, failed)",
                &["outcome"],
            )?,
            expired: counter(
                "optimize_backup_expired_total",
                "Backups that this host deleted because they had expired, or could not delete, by outcome (ok, failed)",
                &["outcome"],
            )?,
            next_slot: IntGauge::new(
                "optimize_backup_schedule_next_timestamp_seconds",
                "When the next scheduled backup is due, 0 without a schedule",
            )?,
            slots: counter(
                "optimize_backup_schedule_slots_total",
                "Times of the schedule that have passed, by outcome on this host (complete, failed, taken, missed)",
                &["outcome"],
            )?,
            registry,
        };
        metrics.policy_generation(1);
        metrics.begin_with_zero();
        metrics.register()?;
        Ok(metrics)
    }

    /// A counter that appears with its first count has not increased, for Prometheus: an alert would miss that one.
    fn begin_with_zero(&self) {
        for outcome in ["ok", "refused", "trapped", "broke_contract", "limited", "busy", "internal"] {
            for operation in ["create", "advance", "get", "list", "delete", "expire"] {
                self.policy_calls.with_label_values(&[operation, outcome]);
            }
        }
        for state in ["complete", "failed", "incomplete", "incompatible"] {
            self.runs_ended.with_label_values(&[state]);
        }
        for outcome in ["ok", "failed"] {
            self.deletions_ended.with_label_values(&[outcome]);
            self.expired.with_label_values(&[outcome]);
        }
        for outcome in SlotOutcome::ALL {
            self.slots.with_label_values(&[outcome.label()]);
        }
        for outcome in ["same", "different", "failed", "skipped"] {
            self.shadow_calls.with_label_values(&[outcome]);
        }
    }

    fn register(&self) -> prometheus::Result<()> {
        self.registry.register(Box::new(self.policy_calls.clone()))?;
        self.registry.register(Box::new(self.policy_seconds.clone()))?;
        self.registry.register(Box::new(self.policy_generation.clone()))?;
        self.registry.register(Box::new(self.shadow_calls.clone()))?;
        self.registry.register(Box::new(self.runs_active.clone()))?;
        self.registry.register(Box::new(self.runs_ended.clone()))?;
        self.registry.register(Box::new(self.runs_retried.clone()))?;
        self.registry.register(Box::new(self.runs_found_too_late.clone()))?;
        self.registry.register(Box::new(self.last_success.clone()))?;
        self.registry.register(Box::new(self.deletions_pending.clone()))?;
        self.registry.register(Box::new(self.expired.clone()))?;
        self.registry.register(Box::new(self.next_slot.clone()))?;
        self.registry.register(Box::new(self.slots.clone()))?;
        self.registry.register(Box::new(self.deletions_ended.clone()))
    }

    /// All metrics in Prometheus' text format.
    ///
    /// # Errors
    /// If the encoder fails.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    pub(crate) fn policy_call(&self, operation: &str, outcome: &str, took: Duration) {
        self.policy_calls.with_label_values(&[operation, outcome]).inc();
        self.policy_seconds.with_label_values(&[operation]).observe(took.as_secs_f64());
    }

    pub(crate) fn policy_generation(&self, number: u64) {
        self.policy_generation.set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    pub(crate) fn shadow_call(&self, outcome: &str) {
        self.shadow_calls.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn run_started(&self) {
        self.runs_active.inc();
    }

    pub(crate) fn run_stopped(&self) {
        self.runs_active.dec();
    }

    pub(crate) fn run_retried(&self) {
        self.runs_retried.inc();
    }

    pub(crate) fn run_found_too_late(&self) {
        self.runs_found_too_late.inc();
    }

    pub(crate) fn run_ended(&self, state: BackupState) {
        self.runs_ended.with_label_values(&[&state.to_string().to_ascii_lowercase()]).inc();
        if state == BackupState::Complete {
            self.last_success.set(clock::since_epoch().as_secs_f64());
        }
    }

    pub(crate) fn deletions_pending(&self, count: usize) {
        self.deletions_pending.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn backup_expired(&self, is_deleted: bool) {
        self.expired.with_label_values(&[if is_deleted { "ok" } else { "failed" }]).inc();
    }

    pub(crate) fn next_slot(&self, seconds: i64) {
        self.next_slot.set(seconds);
    }

    pub(crate) fn slot_ended(&self, outcome: SlotOutcome) {
        self.slots.with_label_values(&[outcome.label()]).inc();
    }

    pub(crate) fn deletion_ended(&self, failed: bool) {
        self.deletions_ended.with_label_values(&[if failed { "failed" } else { "ok" }]).inc();
    }
}
