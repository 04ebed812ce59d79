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

#[test]
fn of_stack_traces_the_first_line_and_the_innermost_cause_are_left() {
    let trace = "failed shard on node [n1]: failed recovery\n\tat org.a.B.c(B.java:1)\nCaused by: org.a.D: outer\n\tat \
        org.a.B.c(B.java:2)\n\t... 9 more\nCaused by: java.nio.file.NoSuchFileException: __x\n\t... 12 more\n";
    assert_eq!(
        without_stack_traces(trace),
        "failed shard on node [n1]: failed recovery (Caused by: java.nio.file.NoSuchFileException: __x)"
    );
    for text in ["", "failed; nested: IOException[a]"] {
        assert_eq!(without_stack_traces(text), text);
    }
}
