//! When a host takes the next step of a run, and when it looks again after a deletion. The host only waits.

use std::time::Duration;

/// When to look again for what another host has added to a backup that was deleted.
///
/// That host may have read the snapshots before the deletion and start part 2 after it: the last look is after the
/// longest time that this can take it.
pub const LEFTOVER_CHECK_DELAYS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

/// Delays that double from `min` to `max`, without end.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    max: Duration,
    jitter: fn() -> f64,
}

impl Backoff {
    /// Each delay is made longer by itself times `jitter`, a random number from 0 to 1: hosts that failed together then
    /// do not try again together.
    #[must_use]
    pub const fn new(min: Duration, max: Duration, jitter: fn() -> f64) -> Self {
        Self { next: min, max, jitter }
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let delay = self.next.min(self.max);
        self.next = delay.saturating_mul(2);
        Some(delay + delay.mul_f64((self.jitter)().clamp(0.0, 1.0)))
    }
}

/// Decides how long to wait between two steps of a run, which is over when `advance` gives no time for another one or
/// says that there is no such backup.
#[derive(Clone, Debug)]
pub struct RunPacer {
    jitter: fn() -> f64,
    backoff: Backoff,
}

impl RunPacer {
    /// The first step is taken at once. For `jitter` see [`Backoff::new`].
    #[must_use]
    pub fn new(jitter: fn() -> f64) -> Self {
        Self { jitter, backoff: Self::backoff(jitter) }
    }

    fn backoff(jitter: fn() -> f64) -> Backoff {
        Backoff::new(Duration::from_millis(500), Duration::from_secs(15), jitter)
    }

    /// After a step that went well: as long as `advance` says.
    pub fn after_progress(&mut self, again_in: Duration) -> Duration {
        self.backoff = Self::backoff(self.jitter);
        again_in
    }

    /// After a step in which the engine refused part 2: longer each time, and at least as long as `advance` says.
    pub fn after_refusal(&mut self, again_in: Duration) -> Duration {
        self.after_failure().max(again_in)
    }

    /// After a step that failed: longer each time.
    pub fn after_failure(&mut self) -> Duration {
        self.backoff.next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
