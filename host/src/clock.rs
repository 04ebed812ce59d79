//! The time of day.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The system's clock. In a test that has paused Tokio's time, it goes forward with that.
pub fn now() -> SystemTime {
    let (paused, real) = (Instant::now().into_std(), std::time::Instant::now());
    system_time() + paused.saturating_duration_since(real) - real.saturating_duration_since(paused)
}

/// The same as the time since the epoch.
pub fn since_epoch() -> Duration {
    now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(not(test))]
fn system_time() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
use for_tests::system_time;

/// A test's own time of day, which holds for its thread.
#[cfg(test)]
pub(crate) mod for_tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static AHEAD: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    /// From now on it is this time, which must not have passed.
    pub(crate) fn set(since_epoch: Duration) {
        AHEAD.set(Duration::ZERO);
        AHEAD.set(since_epoch.checked_sub(super::since_epoch()).unwrap());
    }

    pub(super) fn system_time() -> SystemTime {
        SystemTime::now() + AHEAD.get()
    }
}
