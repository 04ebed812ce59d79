use std::time::Duration;

use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};

pub(crate) fn sleep(span: Duration) {
    let nanoseconds = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::subscribe_duration(nanoseconds).block();
}

/// Milliseconds since the epoch.
pub(crate) fn now() -> u64 {
    let now = wall_clock::now();
    now.seconds.saturating_mul(1000).saturating_add(u64::from(now.nanoseconds / 1_000_000))
}
