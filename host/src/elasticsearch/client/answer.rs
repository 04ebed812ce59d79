use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::cause;
use crate::elasticsearch::{Response, TransportError};

/// The longest time that an engine, or a proxy before it, is taken seriously to ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads an answer to its end, up to `limit` bytes of body.
pub(super) async fn read(mut answer: reqwest::Response, node: &str, limit: usize) -> Result<Response, TransportError> {
    let too_large = || TransportError::Unreadable(format!("{node} sent more than the limit of {limit} bytes"));
    let cut_off = |error: reqwest::Error| {
        TransportError::Interrupted(format!("{node} ended its answer early: {}", cause::root(&error)))
    };
    let status = answer.status().as_u16();
    let retry_after = retry_after(answer.headers(), Timestamp::now());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(cut_off)? {
        if chunk.len() > limit - body.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let body = String::from_utf8(body)
        .map_err(|error| TransportError::Unreadable(format!("{node} sent something else than text: {error}")))?;
    Ok(Response { status, retry_after, body })
}

/// Reads `Retry-After` in either of its forms, seconds and a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
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
    use reqwest::header::HeaderValue;

    use super::*;

    fn read_header(value: &'static str) -> Option<Duration> {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]), now)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(read_header("30"), Some(Duration::from_secs(30)));
        assert_eq!(read_header(" 0 "), Some(Duration::ZERO));
        assert_eq!(read_header("Fri, 02 Jan 2026 03:05:05 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(read_header("Fri, 02 Jan 2026 03:00:00 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn retry_after_that_makes_no_sense_is_ignored() {
        for value in ["", "soon", "-1", "1.5", "Fri, 02 Jan", "99999999999999999999999"] {
            assert_eq!(read_header(value), None, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::now()), None);
    }

    #[test]
    fn retry_after_is_a_day_at_most() {
        assert_eq!(read_header("18446744073709551615"), Some(LONGEST_WAIT));
        assert_eq!(read_header("Fri, 02 Jan 2099 03:05:05 GMT"), Some(LONGEST_WAIT));
    }
}
