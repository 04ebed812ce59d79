//! The time of day.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The system's clock. In a test that has paused Tokio's time, it goes forward with that.
pub fn now() -> SystemTime {
    let (paused, real) = (Instant::now().into_std(), std::time::Instant::now());
    SystemTime::now() + paused.saturating_duration_since(real) - real.saturating_duration_since(paused)
}

/// The same as the time since the epoch.
pub fn since_epoch() -> Duration {
    now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
