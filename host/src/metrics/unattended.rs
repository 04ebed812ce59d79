//! What this server does by itself: the schedule, and backups that expire.

use prometheus::{
    IntCounterVec, IntGauge, Registry, register_int_counter_vec_with_registry, register_int_gauge_with_registry,
};

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

pub(crate) struct UnattendedMetrics {
    next_slot: IntGauge,
    slots: IntCounterVec,
    expired: IntCounterVec,
}

impl UnattendedMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            next_slot: register_int_gauge_with_registry!(
                "optimize_backup_schedule_next_timestamp_seconds",
                "When the next scheduled backup is due, 0 without a schedule",
                registry
            )?,
            slots: register_int_counter_vec_with_registry!(
                "optimize_backup_schedule_slots_total",
                "Times of the schedule that have passed by outcome on this server",
                &["outcome"],
                registry
            )?,
            expired: register_int_counter_vec_with_registry!(
                "optimize_backup_expired_total",
                "Backups that expired, and that this server deleted or not, by outcome",
                &["outcome"],
                registry
            )?,
        };
        for outcome in SlotOutcome::ALL {
            metrics.slots.with_label_values(&[outcome.label()]);
        }
        for outcome in ["ok", "failed"] {
            metrics.expired.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }

    pub(crate) fn next_slot(&self, seconds: i64) {
        self.next_slot.set(seconds);
    }

    pub(crate) fn slot_ended(&self, outcome: SlotOutcome) {
        self.slots.with_label_values(&[outcome.label()]).inc();
    }

    pub(crate) fn expired(&self, is_deleted: bool) {
        self.expired.with_label_values(&[if is_deleted { "ok" } else { "failed" }]).inc();
    }
}
