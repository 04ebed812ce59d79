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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 100 indices without a primary shard, as a cluster in the state red tells them.
    #[test]
    fn a_log_line_is_never_longer_than_wasi_can_write() {
        let reason = "[optimize-process-instance-bestellprozeß_v8] ".repeat(100);
        let line = log_line(&reason);
        assert!(line.len() <= MAX_WASI_WRITE_BYTES && line.len() > 4_000, "{}", line.len());
        assert!(line.starts_with("optimize-backup: [optimize-") && line.ends_with("…\n"), "{line}");
        assert_eq!(log_line("short"), "optimize-backup: short\n");
    }

    proptest! {
        #[test]
        fn any_text_is_cut_between_two_characters(text in "\\PC{0,40}", max in 0usize..60) {
            let short = cut(text.clone(), max);
            prop_assert!(short.len() <= max + '…'.len_utf8());
            prop_assert!(text.starts_with(short.strip_suffix('…').unwrap_or(&short)) || short == text);
            prop_assert!(log_line(&text.repeat(200)).len() <= MAX_WASI_WRITE_BYTES);
        }

        #[test]
        fn an_excerpt_has_no_line_breaks(text in "[\\s\\S]{0,40}", max in 0usize..20) {
            prop_assert!(!excerpt(&text, max).contains(char::is_control));
        }
    }
}
