//! The search engine and the requests to it.

use std::time::Duration;

use backup_elasticsearch::{KINDS, OTHER_KIND};
use prometheus::{
    HistogramVec, IntGauge, Registry, histogram_opts, register_histogram_vec_with_registry,
    register_int_gauge_with_registry,
};

/// A deletion may be waited for for an hour.
const SECONDS: [f64; 13] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0];

/// Cheap to clone: all clones count together.
#[derive(Clone)]
pub struct EngineMetrics {
    requests: HistogramVec,
    engine_up: IntGauge,
    repository_up: IntGauge,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOutcome {
    Ok,
    /// The engine refused it.
    ClientError,
    ServerError,
    /// It was not sent.
    Unreachable,
    /// No complete answer in time.
    Timeout,
    /// The connection ended early, or the answer is too large or no text.
    Interrupted,
    /// Whoever waited for the answer has gone.
    Abandoned,
    /// It is not granted and was not sent.
    Denied,
}

impl RequestOutcome {
    const SENT: [Self; 7] = [
        Self::Ok,
        Self::ClientError,
        Self::ServerError,
        Self::Unreachable,
        Self::Timeout,
        Self::Interrupted,
        Self::Abandoned,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Abandoned => "abandoned",
            Self::Denied => "denied",
        }
    }
}

impl EngineMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            requests: register_histogram_vec_with_registry!(
                histogram_opts!(
                    "optimize_backup_elasticsearch_request_seconds",
                    "Duration of requests to the search engine by kind and outcome",
                    SECONDS.to_vec()
                ),
                &["kind", "outcome"],
                registry
            )?,
            engine_up: register_int_gauge_with_registry!(
                "optimize_backup_elasticsearch_up",
                "Whether the search engine answered the last probe of readiness",
                registry
            )?,
            repository_up: register_int_gauge_with_registry!(
                "optimize_backup_repository_up",
                "Whether the last probe of readiness found the repository usable",
                registry
            )?,
        };
        for kind in KINDS {
            for outcome in RequestOutcome::SENT {
                metrics.requests.with_label_values(&[kind, outcome.word()]);
            }
        }
        metrics.requests.with_label_values(&[OTHER_KIND, RequestOutcome::Denied.word()]);
        Ok(metrics)
    }

    pub(crate) fn request_ended(&self, kind: &str, outcome: RequestOutcome, took: Duration) {
        self.requests.with_label_values(&[kind, outcome.word()]).observe(took.as_secs_f64());
    }

    pub(crate) fn request_denied(&self) {
        self.request_ended(OTHER_KIND, RequestOutcome::Denied, Duration::ZERO);
    }

    pub(crate) fn probed(&self, engine: bool, repository: bool) {
        self.engine_up.set(engine.into());
        self.repository_up.set(repository.into());
    }
}
