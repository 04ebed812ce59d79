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
        let is_sent_again = |method| Retry::of(method, MAX_RETRIES, || 0.0).delay_after(&result, LEFT).is_some();
        assert_eq!((is_sent_again(Method::Get), is_sent_again(Method::Put)), (read, write), "{result:?}");
    }
}

#[test]
fn delays_double_and_end_and_are_as_long_as_the_engine_asks_for() {
    let milliseconds = |jitter: fn() -> f64| {
        let mut retry = Retry::of(Method::Get, MAX_RETRIES, jitter);
        let delays = std::iter::from_fn(|| retry.delay_after(&status(503, None), LEFT));
        delays.map(|delay| delay.as_millis()).collect::<Vec<_>>()
    };
    assert_eq!(milliseconds(|| 0.0), [100, 200, 400, 800]);
    assert_eq!(milliseconds(|| 1.0), [200, 400, 800, 1600]);
    let second = Duration::from_secs(1);
    let after = |left| Retry::of(Method::Put, MAX_RETRIES, || 0.0).delay_after(&status(503, Some(second)), left);
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

#[test]
fn what_is_dispensable_is_sent_once_and_does_not_take_the_time_of_others() {
    use backup_core::{BackupId, IndexPrefix, Request};

    use crate::{Grants, Scope};

    let prefix = IndexPrefix::parse("optimize").unwrap();
    let grants = Grants::new(None, prefix.clone());
    let counts = |prefix: &IndexPrefix, scope| grants.check(Request::documents(prefix), scope).unwrap();
    let of_backup = counts(&prefix, Scope::of_create("7"));
    let mut retry = Retry::new(&of_backup, || 0.0);
    assert_eq!(retry.delay_after(&status(503, None), LEFT), None);
    assert_eq!(request_timeout(&of_backup, LEFT), Duration::from_secs(5));
    assert_eq!(request_timeout(&of_backup, Duration::from_secs(2)), Duration::from_millis(500));
    // A verification depends on it.
    let of_copies = counts(&IndexPrefix::of_verifications(), Scope::Verify(BackupId::new(7).unwrap()));
    assert!(Retry::new(&of_copies, || 0.0).delay_after(&status(503, None), LEFT).is_some());
    assert_eq!(request_timeout(&of_copies, LEFT), LEFT);
}
