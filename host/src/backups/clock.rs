//! Whether this server's clock agrees with the engine's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backup_core::ClockDifference;

use crate::policy::Policies;

/// How often the clocks are compared.
const INTERVAL: Duration = Duration::from_secs(60);

/// Compares the clocks, and keeps what it found last.
pub struct ClockCheck {
    policies: Arc<Policies>,
    /// The difference, or why it is not known. `None`: not compared yet.
    last: Mutex<Option<Result<ClockDifference, String>>>,
}

impl ClockCheck {
    pub fn new(policies: Arc<Policies>) -> Self {
        Self { policies, last: Mutex::default() }
    }

    /// What was found last. `None`: the clocks were not compared yet.
    pub fn last(&self) -> Option<Result<ClockDifference, String>> {
        // A value that is replaced as a whole is never half written.
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Compares them at once and then regularly. A large difference is logged when it comes and when it changes.
    pub async fn check_forever(&self) {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut told = None;
        loop {
            interval.tick().await;
            let found = self.policies.clock_difference().await.map_err(|error| error.to_string());
            let large = found.as_ref().ok().copied().filter(|difference| difference.is_large());
            if let Some(difference) = large.filter(|&difference| is_news(difference, told)) {
                tracing::warn!(%difference, "the clocks differ; correct the one that is wrong");
            }
            if found.is_ok() {
                told = large;
            }
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        }
    }
}

/// Whether a difference is not the one that was told.
fn is_news(found: ClockDifference, told: Option<ClockDifference>) -> bool {
    told.is_none_or(|told| {
        let change = found.span.abs_diff(told.span);
        told.host_is_ahead != found.host_is_ahead || change > Duration::from_secs(60)
    })
}
