//! Verifications that this server has driven to their end.

use prometheus::{GaugeVec, Registry, register_gauge_vec_with_registry};

pub(crate) struct VerificationMetrics {
    last: GaugeVec,
}

impl VerificationMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let last = register_gauge_vec_with_registry!(
            "optimize_backup_last_verification_timestamp_seconds",
            "When the last verification of a backup ended on this server by outcome, 0 if none did",
            &["outcome"],
            registry
        )?;
        for has_passed in [true, false] {
            last.with_label_values(&[label(has_passed)]);
        }
        Ok(Self { last })
    }

    /// `at`: in milliseconds since 1970.
    pub(crate) fn ended(&self, has_passed: bool, at: u64) {
        self.last.with_label_values(&[label(has_passed)]).set(at as f64 / 1000.0);
    }
}

fn label(has_passed: bool) -> &'static str {
    if has_passed { "passed" } else { "failed" }
}
