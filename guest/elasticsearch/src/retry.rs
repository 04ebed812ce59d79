use std::time::Duration;

use backup_core::{Method, Response, TransportError};
use jiff::Timestamp;

/// The longest time that an engine, or a proxy before it, is taken seriously to ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether a request is worth sending again, and safe to send again.
///
/// A read is after any failure that may pass. A write only if the engine did not get it or refused it as
/// too busy: where it may have acted, only the policy knows how to find out.
#[must_use]
pub fn may_pass(method: Method, outcome: &Result<Response, TransportError>) -> bool {
    let is_read = method == Method::Get;
    match outcome {
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
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<Duration> {
        retry_after(value, "2026-01-02T03:04:05Z".parse().unwrap())
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
        assert_eq!(read("18446744073709551615"), Some(LONGEST_WAIT));
        assert_eq!(read("Fri, 02 Jan 2099 03:05:05 GMT"), Some(LONGEST_WAIT));
    }
}
