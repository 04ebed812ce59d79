//! What commands log that work in this process.

use std::io;

use tracing_subscriber::EnvFilter;

/// What goes wrong and passes, such as a refusal of part 2. Failed requests are told by the command itself.
const FILTER: &str = "warn,optimize_backup::http=off,optimize_backup::elasticsearch=off";

/// Sends warnings of this process to standard error: standard output is for results.
pub(super) fn warnings_to_standard_error() {
    let events = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(FILTER)).with_target(false).with_ansi(false);
    // Where there is a subscriber already, as in tests, that one stays.
    let _ = events.with_writer(io::stderr).try_init();
}
