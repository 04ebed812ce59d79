//! Cutting texts that others wrote, before they are repeated in messages and logs.

/// What `blocking-write-and-flush` of `wasi:io/streams` takes at once. More is a trap.
pub const MAX_WASI_WRITE_BYTES: usize = 4096;

/// The beginning of a text, with an ellipsis in place of what is over `max_bytes`.
#[must_use]
pub fn cut(mut text: String, max_bytes: usize) -> String {
    if text.len() > max_bytes {
        text.truncate(text.floor_char_boundary(max_bytes));
        text.push('…');
    }
    text
}

/// The first `max_chars` characters of a text whose control characters and quotes are escaped, fit for a line of a log.
#[must_use]
pub fn excerpt(text: &str, max_chars: usize) -> String {
    let mut chars = text.escape_debug();
    let mut excerpt: String = chars.by_ref().take(max_chars).collect();
    if chars.next().is_some() {
        excerpt.push('…');
    }
    excerpt
}

/// A line of a component's log: it says who writes it, and is short enough to be written at once.
#[must_use]
pub fn log_line(text: &str) -> String {
    const MAX_BYTES: usize = MAX_WASI_WRITE_BYTES - "…\n".len();
    cut(format!("optimize-backup: {text}"), MAX_BYTES) + "\n"
}

/// The first line and the innermost cause of an explanation that comes with Java's stack traces; any other as it is.
pub(crate) fn without_stack_traces(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    match lines.rfind(|line| line.starts_with("Caused by: ")) {
        Some(cause) => format!("{first} ({cause})"),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests;
