use crate::bindings::wasi::cli::stderr::get_stderr;

/// Writes a line for whoever runs the host. Where that goes, and whether anywhere, is the host's affair.
pub(crate) fn line(text: &str) {
    // A host that takes no log is no reason to fail.
    let _ = get_stderr().blocking_write_and_flush(format!("optimize-backup: {text}\n").as_bytes());
}
