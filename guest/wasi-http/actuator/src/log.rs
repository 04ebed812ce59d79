use crate::bindings::wasi::cli::stderr::get_stderr;

/// Writes a line to the host's log, if the host has one.
pub(crate) fn line(text: &str) {
    let _ = get_stderr().blocking_write_and_flush(backup_core::text::log_line(text).as_bytes());
}
