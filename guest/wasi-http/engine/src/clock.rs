use std::time::Duration;

use jiff::Timestamp;

use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::wasi::io::poll::{Pollable, poll};

/// A moment at which waiting ends.
pub(crate) struct Deadline {
    at: monotonic_clock::Instant,
}

impl Deadline {
    pub(crate) fn after(span: Duration) -> Self {
        Self { at: monotonic_clock::now().saturating_add(nanoseconds(span)) }
    }

    pub(crate) fn left(&self) -> Duration {
        Duration::from_nanos(self.at.saturating_sub(monotonic_clock::now()))
    }

    /// Waits for something to be ready; `false` if the deadline came first.
    pub(crate) fn wait_for(&self, pollable: &Pollable) -> bool {
        let deadline = monotonic_clock::subscribe_instant(self.at);
        poll(&[pollable, &deadline]).contains(&0)
    }
}

pub(crate) fn sleep(span: Duration) {
    monotonic_clock::subscribe_duration(nanoseconds(span)).block();
}

pub(crate) fn now() -> Timestamp {
    let now = wall_clock::now();
    let seconds = i64::try_from(now.seconds).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

pub(crate) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
