use std::iter::Take;
use std::time::Duration;

use backup_core::{Backoff, Method, Response, TransportError};
use jiff::Timestamp;

use crate::Granted;

/// The longest `Retry-After` of an engine or a proxy that is observed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How long `submit` waits for a response. A refusal comes within this time.
pub const EARLY_ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a request may take at most whose answer nothing depends on.
const DISPENSABLE_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of the time that is left a request may take, with all its attempts.
///
/// A write leaves half of it, in which the policy can find out whether the engine executed it. What is dispensable leaves
/// most of it to what comes after.
#[must_use]
pub fn request_timeout(request: &Granted, left: Duration) -> Duration {
    match request.request().method {
        _ if request.is_dispensable() => DISPENSABLE_TIMEOUT.min(left / 4),
        Method::Get => left,
        Method::Put | Method::Post | Method::Delete => left / 2,
    }
}

/// How often a request is sent again.
const MAX_RETRIES: usize = 4;

/// Decides whether and when a request is sent again: up to five attempts within about three seconds, enough for a node
/// that restarts its HTTP port or an election of a master.
#[derive(Debug)]
pub struct Retry {
    method: Method,
    delays: Take<Backoff>,
}

impl Retry {
    /// For one request, before its first attempt. For `jitter` see [`Backoff::new`].
    #[must_use]
    pub fn new(request: &Granted, jitter: fn() -> f64) -> Self {
        Self::of(request.request().method, if request.is_dispensable() { 0 } else { MAX_RETRIES }, jitter)
    }

    fn of(method: Method, retries: usize, jitter: fn() -> f64) -> Self {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), jitter);
        Self { method, delays: backoff.take(retries) }
    }

    /// How long to wait before the next attempt, at least as long as the engine's `Retry-After`. `None`: this result is
    /// final, because another attempt would not change it, would not be safe, or would not fit into the time `left`.
    pub fn delay_after(&mut self, result: &Result<Response, TransportError>, left: Duration) -> Option<Duration> {
        if !is_retryable(self.method, result) {
            return None;
        }
        let retry_after = result.as_ref().ok().and_then(|response| response.retry_after).unwrap_or_default();
        self.delays.next().map(|delay| delay.max(retry_after)).filter(|delay| *delay < left)
    }
}

/// A read is retryable after any transient failure. A write is only if the engine did not get it or refused it as too
/// busy: if it may have been executed, only the policy knows how to find out.
fn is_retryable(method: Method, result: &Result<Response, TransportError>) -> bool {
    let is_read = method == Method::Get;
    match result {
        Ok(response) if is_read => matches!(response.status, 429 | 502..=504),
        Ok(response) => matches!(response.status, 429 | 503),
        Err(TransportError::Unreachable(_)) => true,
        Err(TransportError::Interrupted(_)) => is_read,
        Err(TransportError::Denied(_) | TransportError::Unreadable(_)) => false,
    }
}

/// Reads `Retry-After` in either of its forms, seconds and a date (RFC 9110, 10.2.3).
#[must_use]
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let text = header.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_not_a_number) => {
            let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            // A date that has passed: at once.
            Duration::try_from(date.duration_since(now)).unwrap_or_default()
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests;
