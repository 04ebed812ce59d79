//! What the text of a single setting can mean.

use std::convert::Infallible;
use std::fmt::Display;
use std::fs::{self, File};
use std::io;
use std::net::Ipv6Addr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use backup_core::{InvalidOptimizeVersion, OptimizeVersion};
use jiff::SignedDuration;

use super::secret::Secret;

/// A text that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("'{text}' is not {allowed}")]
    Value { text: String, allowed: String },
    /// As `Value`, of a text that must not be shown.
    #[error("the value, not shown here, is not {allowed}")]
    Secret { allowed: &'static str },
    #[error("the file '{path}' cannot be read: {reason}")]
    File { path: String, reason: io::Error },
    #[error("the file '{path}' is empty")]
    EmptyFile { path: String },
}

impl Unfit {
    fn value(text: &str, allowed: impl Into<String>) -> Self {
        Self::Value { text: text.to_owned(), allowed: allowed.into() }
    }

    fn file(path: &str, reason: io::Error) -> Self {
        Self::File { path: path.to_owned(), reason }
    }
}

/// Longer times are mistakes, and would overflow a clock.
const LONGEST: SignedDuration = SignedDuration::from_hours(8760);

/// A time span of more than nothing and up to `longest`, as jiff reads it: `90s`, `1h 30m`, `PT10M`.
#[must_use]
pub fn time_span(text: &str, longest: SignedDuration) -> Option<Duration> {
    let span = text.parse::<SignedDuration>().ok()?;
    (span.is_positive() && span <= longest).then(|| span.unsigned_abs())
}

/// A time span.
pub(super) fn duration(text: &str) -> Result<Duration, Unfit> {
    time_span(text, LONGEST).ok_or_else(|| {
        let allowed = "a time such as 90s, 10m or 1h 30m, greater than 0s and up to 8760h";
        Unfit::value(text, allowed)
    })
}

/// A time in milliseconds.
pub(super) fn milliseconds(text: &str) -> Result<Duration, Unfit> {
    // As in Optimize, which keeps it in a Java Integer.
    number(1..=2_147_483_647)(text).map(Duration::from_millis)
}

/// A whole number within bounds.
pub(super) fn number<N>(allowed: RangeInclusive<N>) -> impl Fn(&str) -> Result<N, Unfit>
where
    N: FromStr + PartialOrd + Display,
{
    move |text| {
        text.parse().ok().filter(|number| allowed.contains(number)).ok_or_else(|| {
            let (least, most) = (allowed.start(), allowed.end());
            Unfit::value(text, format!("a whole number from {least} to {most}"))
        })
    }
}

/// One of some words, in any case.
pub(super) fn one_of<T: Copy, const N: usize>(words: [(&'static str, T); N]) -> impl Fn(&str) -> Result<T, Unfit> {
    move |text| {
        let meant = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        meant
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| Unfit::value(text, format!("one of {}", words.map(|(word, _)| word).join(", "))))
    }
}

/// `true` or `false`.
pub(super) fn switch(text: &str) -> Result<bool, Unfit> {
    one_of([("true", true), ("false", false)])(text)
}

/// Any text.
pub(super) fn text(text: &str) -> Result<String, Infallible> {
    Ok(text.to_owned())
}

/// A path, there or not.
pub(super) fn path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(PathBuf::from(text))
}

/// The path of a file that can be read.
pub(super) fn readable_file(text: &str) -> Result<PathBuf, Unfit> {
    let metadata = File::open(text).and_then(|file| file.metadata());
    match metadata {
        // It can be opened, but not read.
        Ok(metadata) if metadata.is_dir() => Err(Unfit::file(text, io::ErrorKind::IsADirectory.into())),
        Ok(_) => Ok(PathBuf::from(text)),
        Err(reason) => Err(Unfit::file(text, reason)),
    }
}

/// A host name or an address; the brackets that an IPv6 address has in a URL may be there or not.
pub(super) fn host(text: &str) -> Result<String, Unfit> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<Ipv6Addr>() {
        return Ok(address.to_string());
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    let allowed = "a host name or an IP address alone, without https:// and port";
    // A password can stand before an @.
    Err(if text.contains('@') { Unfit::Secret { allowed } } else { Unfit::value(text, allowed) })
}

/// A path as URLs are prefixed with it: empty, or with a slash before each part.
pub(super) fn path_prefix(text: &str) -> Result<String, Unfit> {
    let fits = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        !matches!(part, "." | "..") && part.chars().all(allowed)
    };
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    if !parts.iter().all(|part| fits(part)) {
        let allowed = "a path such as /search, of letters, digits, '-', '.', '_' and '~'";
        return Err(Unfit::value(text, allowed));
    }
    Ok(parts.iter().map(|part| format!("/{part}")).collect())
}

/// The version in snapshot names; `None` for `auto`.
pub(super) fn optimize_version(text: &str) -> Result<Option<OptimizeVersion>, InvalidOptimizeVersion> {
    if text.eq_ignore_ascii_case("auto") {
        return Ok(None);
    }
    OptimizeVersion::parse(text).map(Some)
}

/// A user name.
pub(super) fn username(text: &str) -> Result<String, Unfit> {
    // RFC 7617: the colon ends the user name. It may be the password that follows it here.
    if text.contains(|c: char| c == ':' || c.is_control()) {
        return Err(Unfit::Secret { allowed: "a user name for HTTP Basic, which has no colon in it" });
    }
    Ok(text.to_owned())
}

/// A password.
pub(super) fn password(text: &str) -> Result<Secret, Unfit> {
    Ok(Secret::new(text))
}

/// An API key.
pub(super) fn api_key(text: &str) -> Result<Secret, Unfit> {
    visible(text, "an API key, which has only visible ASCII characters")
}

/// A bearer token.
pub(super) fn token(text: &str) -> Result<Secret, Unfit> {
    const SHORTEST: usize = 16;
    const ALLOWED: &str = "a token of at least 16 visible ASCII characters, which nobody can guess";
    if text.len() < SHORTEST {
        return Err(Unfit::Secret { allowed: ALLOWED });
    }
    visible(text, ALLOWED)
}

/// What stands in an HTTP header as it is.
fn visible(text: &str, allowed: &'static str) -> Result<Secret, Unfit> {
    if text.chars().all(|c| c.is_ascii_graphic()) { Ok(Secret::new(text)) } else { Err(Unfit::Secret { allowed }) }
}

/// A secret in a file, whose last line may end with a line break.
pub(super) fn secret_file(path: &str, parse: impl Fn(&str) -> Result<Secret, Unfit>) -> Result<Secret, Unfit> {
    let content = fs::read_to_string(path).map_err(|reason| Unfit::file(path, reason))?;
    match content.trim_end_matches(['\r', '\n']) {
        "" => Err(Unfit::EmptyFile { path: path.to_owned() }),
        secret => parse(secret),
    }
}
