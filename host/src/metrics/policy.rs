//! The policy and its calls.

use std::time::Duration;

use prometheus::{
    HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Registry, histogram_opts, register_histogram_vec_with_registry,
    register_int_counter_vec_with_registry, register_int_gauge_vec_with_registry, register_int_gauge_with_registry,
};

use super::integer;

/// A call may take 60 s by default.
const SECONDS: [f64; 13] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The operations of a policy.
const OPERATIONS: [&str; 10] = [
    "create",
    "advance",
    "get",
    "progress",
    "list",
    "delete",
    "expire",
    "plan_restore",
    "advance_restore",
    "get_restore",
];

pub(crate) struct PolicyMetrics {
    calls: IntCounterVec,
    seconds: HistogramVec,
    generation: IntGauge,
    fallback: IntGauge,
    build: IntGaugeVec,
    shadow_calls: IntCounterVec,
}

impl PolicyMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            calls: register_int_counter_vec_with_registry!(
                "optimize_backup_policy_calls_total",
                "Calls of the policy by operation and outcome",
                &["operation", "outcome"],
                registry
            )?,
            seconds: register_histogram_vec_with_registry!(
                histogram_opts!(
                    "optimize_backup_policy_call_seconds",
                    "Duration of calls of the policy, the search engine's answers included",
                    SECONDS.to_vec()
                ),
                &["operation"],
                registry
            )?,
            generation: register_int_gauge_with_registry!(
                "optimize_backup_policy_generation",
                "The generation of the policy that serves, counted from 1 at the start of the server",
                registry
            )?,
            fallback: register_int_gauge_with_registry!(
                "optimize_backup_policy_fallback",
                "Whether an earlier policy serves, because the one that should was withdrawn or refused",
                registry
            )?,
            build: register_int_gauge_vec_with_registry!(
                "optimize_backup_build_info",
                "1, with the version of the server and the digest and version of the policy that serves",
                &["version", "policy", "policy_version"],
                registry
            )?,
            shadow_calls: register_int_counter_vec_with_registry!(
                "optimize_backup_policy_shadow_calls_total",
                "Calls of a policy that is tried beside the serving one by outcome",
                &["outcome"],
                registry
            )?,
        };
        metrics.begin_with_zero();
        Ok(metrics)
    }

    fn begin_with_zero(&self) {
        for operation in OPERATIONS {
            self.seconds.with_label_values(&[operation]);
            for outcome in ["ok", "refused", "trapped", "broke_contract", "limited", "busy", "internal"] {
                self.calls.with_label_values(&[operation, outcome]);
            }
        }
        for outcome in ["same", "different", "failed", "skipped"] {
            self.shadow_calls.with_label_values(&[outcome]);
        }
    }

    pub(crate) fn call(&self, operation: &str, outcome: &str, took: Duration) {
        self.calls.with_label_values(&[operation, outcome]).inc();
        self.seconds.with_label_values(&[operation]).observe(took.as_secs_f64());
    }

    /// Another policy serves from now on.
    pub(crate) fn serves(&self, generation: u64, digest: &str, version: &str, is_fallback: bool) {
        self.generation.set(integer(generation));
        self.fallback.set(is_fallback.into());
        self.build.reset();
        self.build.with_label_values(&[env!("CARGO_PKG_VERSION"), digest, version]).set(1);
    }

    pub(crate) fn shadow_call(&self, outcome: &str) {
        self.shadow_calls.with_label_values(&[outcome]).inc();
    }
}
