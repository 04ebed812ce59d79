//! Requests to this server.

use std::time::Duration;

use jiff::Timestamp;
use prometheus::{
    HistogramVec, IntCounterVec, IntGauge, Registry, histogram_opts, register_histogram_vec_with_registry,
    register_int_counter_vec_with_registry, register_int_gauge_with_registry,
};

/// A call of the policy may take 60 s by default, and a deletion two.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];

/// What is there from the start. Other statuses come with their first response.
const EXPECTED: [[&str; 3]; 4] = [
    ["GET", "/actuator/backups", "200"],
    ["POST", "/actuator/backups", "202"],
    ["GET", "/actuator/backups/{backupId}", "200"],
    ["DELETE", "/actuator/backups/{backupId}", "204"],
];

/// A POST of a backup that was answered with 202.
pub(crate) const ACCEPTED: &str = "accepted";

/// What becomes of a POST of a backup: this, or an error's class.
const CREATE_OUTCOMES: [&str; 11] = [
    ACCEPTED,
    "invalid_request",
    "unauthorized",
    "configuration",
    "conflict",
    "not_found",
    "busy",
    "engine_failure",
    "unreachable",
    "policy_failure",
    "internal",
];

pub(crate) struct HttpMetrics {
    requests: HistogramVec,
    creates: IntCounterVec,
    certificate_expiry: IntGauge,
}

impl HttpMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            requests: register_histogram_vec_with_registry!(
                histogram_opts!(
                    "http_server_requests_seconds",
                    "Duration of requests to this server by method, path and status",
                    SECONDS.to_vec()
                ),
                &["method", "uri", "status"],
                registry
            )?,
            creates: register_int_counter_vec_with_registry!(
                "optimize_backup_create_requests_total",
                "Requests for a new backup by outcome; conflict is harmless where several callers choose the same ID",
                &["outcome"],
                registry
            )?,
            certificate_expiry: register_int_gauge_with_registry!(
                "optimize_backup_server_certificate_expiry_timestamp_seconds",
                "When the certificate of this server's port expires, in seconds since 1970; 0: it has none",
                registry
            )?,
        };
        for labels in EXPECTED {
            metrics.requests.with_label_values(&labels);
        }
        for outcome in CREATE_OUTCOMES {
            metrics.creates.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }

    pub(crate) fn responded(&self, method: &str, uri: &str, status: &str, took: Duration) {
        self.requests.with_label_values(&[method, uri, status]).observe(took.as_secs_f64());
    }

    pub(crate) fn certificate_expires(&self, at: Option<Timestamp>) {
        self.certificate_expiry.set(at.map_or(0, Timestamp::as_second));
    }

    pub(crate) fn create_ended(&self, outcome: &str) {
        self.creates.with_label_values(&[outcome]).inc();
    }
}
