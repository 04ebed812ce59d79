//! What is counted, under `/actuator/prometheus`.
//!
//! Each part of the server has metrics of its own. What their labels can be is there from the start with 0: Prometheus takes a
//! counter that appears with its first count for one that has not increased, and an alert would miss that one.

mod backups;
mod engine;
mod http;
mod policy;
mod process;
mod runs;
mod unattended;
mod verifications;

use std::sync::Mutex;

use prometheus::{IntCounter, Registry, TextEncoder, register_int_counter_with_registry};

use self::backups::BackupMetrics;
use self::http::HttpMetrics;
use self::policy::PolicyMetrics;
use self::process::ProcessMetrics;
use self::runs::RunMetrics;
use self::unattended::UnattendedMetrics;
use self::verifications::VerificationMetrics;

pub use self::backups::LastSuccess;
pub use self::engine::{EngineMetrics, RequestOutcome};
pub(crate) use self::http::ACCEPTED;
pub use self::unattended::SlotOutcome;

/// The server's metrics.
pub struct Metrics {
    registry: Registry,
    process: ProcessMetrics,
    dropped_lines: IntCounter,
    /// Two scrapes at once would count the same twice.
    scrape: Mutex<()>,
    pub(crate) backups: BackupMetrics,
    pub(crate) engine: EngineMetrics,
    pub(crate) http: HttpMetrics,
    pub(crate) policy: PolicyMetrics,
    pub(crate) runs: RunMetrics,
    pub(crate) unattended: UnattendedMetrics,
    pub(crate) verifications: VerificationMetrics,
}

impl Metrics {
    /// Registers all metrics.
    ///
    /// # Errors
    /// If two have one name.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        Ok(Self {
            process: ProcessMetrics::new(&registry)?,
            dropped_lines: register_int_counter_with_registry!(
                "optimize_backup_log_lines_dropped_total",
                "Lines that are missing in the log because nobody took them",
                registry
            )?,
            scrape: Mutex::default(),
            backups: BackupMetrics::new(&registry)?,
            engine: EngineMetrics::new(&registry)?,
            http: HttpMetrics::new(&registry)?,
            policy: PolicyMetrics::new(&registry)?,
            runs: RunMetrics::new(&registry)?,
            unattended: UnattendedMetrics::new(&registry)?,
            verifications: VerificationMetrics::new(&registry)?,
            registry,
        })
    }

    /// How many lines were left out of the log so far.
    pub(crate) fn lines_dropped(&self, total: u64) {
        let _turn = self.scrape.lock();
        self.dropped_lines.inc_by(total.saturating_sub(self.dropped_lines.get()));
    }

    /// All metrics in Prometheus' text format.
    ///
    /// # Errors
    /// If the encoder fails.
    pub fn render(&self) -> prometheus::Result<String> {
        let turn = self.scrape.lock();
        self.process.update();
        drop(turn);
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// For a gauge of integers.
fn integer(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
