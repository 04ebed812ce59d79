use std::time::Duration;

use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::wasi::random::random::get_random_u64;

pub(crate) fn sleep(span: Duration) {
    let nanoseconds = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::subscribe_duration(nanoseconds).block();
}

/// Milliseconds since the epoch.
pub(crate) fn now() -> u64 {
    let now = wall_clock::now();
    now.seconds.saturating_mul(1000).saturating_add(u64::from(now.nanoseconds / 1_000_000))
}

/// A random number from 0 to 1.
pub(crate) fn jitter() -> f64 {
    f64::from(u32::try_from(get_random_u64() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
