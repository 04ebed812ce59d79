use std::iter::Take;
use std::time::Duration;

use backup_core::{Backoff, Method, Response, TransportError};
use jiff::Timestamp;

/// The longest `Retry-After` of an engine or a proxy that is observed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How long `submit` waits for a response. A refusal comes within this time.
pub const EARLY_ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How much of the time that is left a request may take, with all its attempts.
///
/// A write leaves half of it, in which the policy can find out whether the engine executed it.
#[must_use]
pub fn request_timeout(method: Method, left: Duration) -> Duration {
    if method == Method::Get { left } else { left / 2 }
}

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
    pub fn new(method: Method, jitter: fn() -> f64) -> Self {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2), jitter);
        Self { method, delays: backoff.take(4) }
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
mod tests {
    use super::*;

    fn read(value: &str) -> Option<Duration> {
        retry_after(value, "2026-01-02T03:04:05Z".parse().unwrap())
    }

    const LEFT: Duration = Duration::from_secs(60);

    fn status(status: u16, retry_after: Option<Duration>) -> Result<Response, TransportError> {
        Ok(Response { status, retry_after, body: String::new() })
    }

    #[test]
    fn a_write_is_sent_again_only_if_the_engine_has_not_executed_it() {
        let error = |case: fn(String) -> TransportError| Err(case(String::new()));
        for (result, read, write) in [
            (status(200, None), false, false),
            (status(404, None), false, false),
            (status(500, None), false, false),
            (status(429, None), true, true),
            (status(502, None), true, false),
            (status(503, None), true, true),
            (status(504, None), true, false),
            (error(TransportError::Unreachable), true, true),
            (error(TransportError::Interrupted), true, false),
            (error(TransportError::Unreadable), false, false),
            (error(TransportError::Denied), false, false),
        ] {
            let is_sent_again = |method| Retry::new(method, || 0.0).delay_after(&result, LEFT).is_some();
            assert_eq!((is_sent_again(Method::Get), is_sent_again(Method::Put)), (read, write), "{result:?}");
        }
    }

    #[test]
    fn delays_double_and_end_and_are_as_long_as_the_engine_asks_for() {
        let milliseconds = |jitter: fn() -> f64| {
            let mut retry = Retry::new(Method::Get, jitter);
            let delays = std::iter::from_fn(|| retry.delay_after(&status(503, None), LEFT));
            delays.map(|delay| delay.as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(milliseconds(|| 0.0), [100, 200, 400, 800]);
        assert_eq!(milliseconds(|| 1.0), [200, 400, 800, 1600]);
        let second = Duration::from_secs(1);
        let after = |left| Retry::new(Method::Put, || 0.0).delay_after(&status(503, Some(second)), left);
        assert_eq!((after(LEFT), after(second)), (Some(second), None));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(read("30"), Some(Duration::from_secs(30)));
        assert_eq!(read(" 0 "), Some(Duration::ZERO));
        assert_eq!(read("Fri, 02 Jan 2026 03:05:05 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(read("Fri, 02 Jan 2026 03:00:00 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn retry_after_that_makes_no_sense_is_ignored() {
        for value in ["", "soon", "-1", "1.5", "Fri, 02 Jan", "99999999999999999999999"] {
            assert_eq!(read(value), None, "{value}");
        }
    }

    #[test]
    fn retry_after_is_a_day_at_most() {
        assert_eq!(read("18446744073709551615"), Some(MAX_RETRY_AFTER));
        assert_eq!(read("Fri, 02 Jan 2099 03:05:05 GMT"), Some(MAX_RETRY_AFTER));
    }
}
