//! What the text of a single setting can mean.

use std::convert::Infallible;
use std::fmt::{self, Display};
use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use backup_core::{InvalidOptimizeVersion, OptimizeVersion};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::error::InvalidValue;

/// A text that neither a log nor an error shows.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// A time span of more than nothing and up to `max`, as jiff reads it: `90s`, `1h 30m`, `PT10M`.
#[must_use]
pub fn time_span(text: &str, max: SignedDuration) -> Option<Duration> {
    let span = text.parse::<SignedDuration>().ok()?;
    (span.is_positive() && span <= max).then(|| span.unsigned_abs())
}

pub(super) fn duration(text: &str) -> Result<Duration, InvalidValue> {
    // Longer times are mistakes, and would overflow a clock.
    time_span(text, SignedDuration::from_hours(8760))
        .ok_or_else(|| InvalidValue::new(text, "a time such as 90s, 10m or 1h 30m, greater than 0s and up to 8760h"))
}

/// An age in days of 24 hours, or as a time: `30d`, `2w`, `36h`.
pub(super) fn age(text: &str) -> Result<Duration, InvalidValue> {
    const MAX: SignedDuration = SignedDuration::from_hours(24 * 36_525);
    let days_are_24_hours = SpanRelativeTo::days_are_24_hours();
    let age = text.parse::<Span>().and_then(|span| span.to_duration(days_are_24_hours)).ok();
    age.filter(|age| age.is_positive() && *age <= MAX).map(|age| age.unsigned_abs()).ok_or_else(|| {
        InvalidValue::new(
            text,
            "an age such as 30d, 2w or 36h, greater than 0s and up to 36525d; months and years differ in length",
        )
    })
}

/// A time zone of the IANA database.
pub(super) fn time_zone(text: &str) -> Result<TimeZone, InvalidValue> {
    TimeZone::get(text)
        .map_err(|_unknown| InvalidValue::new(text, "a time zone of the IANA database, such as Europe/Berlin"))
}

/// A whole number within bounds.
pub(super) fn number<N>(allowed: RangeInclusive<N>) -> impl Fn(&str) -> Result<N, InvalidValue>
where
    N: FromStr + PartialOrd + Display,
{
    move |text| {
        text.parse().ok().filter(|number| allowed.contains(number)).ok_or_else(|| {
            InvalidValue::new(text, format!("a whole number from {} to {}", allowed.start(), allowed.end()))
        })
    }
}

/// One of some words, in any case.
pub(super) fn one_of<T: Copy, const N: usize>(
    words: [(&'static str, T); N],
) -> impl Fn(&str) -> Result<T, InvalidValue> {
    move |text| {
        let meant = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, meaning)| *meaning);
        meant.ok_or_else(|| InvalidValue::new(text, format!("one of {}", words.map(|(word, _)| word).join(", "))))
    }
}

/// `true` or `false`.
pub(super) fn flag(text: &str) -> Result<bool, InvalidValue> {
    one_of([("true", true), ("false", false)])(text)
}

/// Any text, or a path that need not be there.
pub(super) fn any<T: From<String>>(text: &str) -> Result<T, Infallible> {
    Ok(T::from(text.to_owned()))
}

/// The path of a file that can be read.
pub(super) fn readable_file(text: &str) -> Result<PathBuf, InvalidValue> {
    match File::open(text).and_then(|file| file.metadata()) {
        // It can be opened, but not read.
        Ok(metadata) if metadata.is_dir() => Err(InvalidValue::unreadable(text, &io::ErrorKind::IsADirectory.into())),
        Ok(_) => Ok(PathBuf::from(text)),
        Err(reason) => Err(InvalidValue::unreadable(text, &reason)),
    }
}

/// A URL of HTTP.
pub(super) fn http_url(text: &str) -> Result<String, InvalidValue> {
    let rest = ["http://", "https://"].into_iter().find_map(|scheme| text.strip_prefix(scheme));
    let has_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':', '?', '#']));
    // A password in it would be shown.
    if has_host && is_visible(text) && !text.contains('@') {
        return Ok(text.to_owned());
    }
    Err(InvalidValue::hidden("a URL such as http://optimize:8090, without a user"))
}

/// A path as URLs are prefixed with it: empty, or with a slash before each part.
pub(super) fn path_prefix(text: &str) -> Result<String, InvalidValue> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| matches!(*part, "." | "..") || !part.chars().all(allowed)) {
        return Err(InvalidValue::new(text, "a path such as /search, of letters, digits, '-', '.', '_' and '~'"));
    }
    Ok(parts.iter().map(|part| format!("/{part}")).collect())
}

/// The version in snapshot names; `None` for `auto`.
pub(super) fn optimize_version(text: &str) -> Result<Option<OptimizeVersion>, InvalidOptimizeVersion> {
    if text.eq_ignore_ascii_case("auto") { Ok(None) } else { OptimizeVersion::parse(text).map(Some) }
}

/// A bearer token.
pub(super) fn token(text: &str) -> Result<Secret, InvalidValue> {
    const MIN_LENGTH: usize = 16;
    if text.len() < MIN_LENGTH || !is_visible(text) {
        return Err(InvalidValue::hidden("a token of at least 16 visible ASCII characters, which nobody can guess"));
    }
    Ok(Secret::new(text))
}

/// Whether a text can stand in an HTTP header as it is.
pub(super) fn is_visible(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic())
}

/// The text of a secret in a file, whose last line may end with a line break.
pub(super) fn secret_file(path: &str) -> Result<String, InvalidValue> {
    let content = fs::read_to_string(path).map_err(|reason| InvalidValue::unreadable(path, &reason))?;
    match content.trim_end_matches(['\r', '\n']) {
        "" => Err(InvalidValue::file(path, "is empty")),
        secret => Ok(secret.to_owned()),
    }
}
