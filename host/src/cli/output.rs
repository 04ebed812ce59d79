//! What commands print: results to standard output, everything else to standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use clap::ValueEnum;
use terminal_size::{Width, terminal_size_of};

/// The form of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables on a terminal; elsewhere a line for each backup, with tabs between its columns.
    #[default]
    Text,
    /// The server's own JSON.
    Json,
}

/// Standard output does not take what is printed.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written: {0}")]
pub(super) struct PrintError(io::Error);

/// Prints a result. A reader that has gone, as `head` does, is no error: it has what it wanted.
pub(super) fn print(result: &str) -> Result<(), PrintError> {
    let mut output = io::stdout().lock();
    let end = if result.is_empty() || result.ends_with('\n') { "" } else { "\n" };
    match write!(output, "{result}{end}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(PrintError(error)),
        _ => Ok(()),
    }
}

/// Prints a line that is no result. Nobody can be told that it is not read.
pub(super) fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// The columns of the terminal that results are printed to. `None`: it is none.
pub(super) fn terminal_width() -> Option<u16> {
    const USUAL: u16 = 80;
    let output = io::stdout();
    output.is_terminal().then(|| terminal_size_of(&output).map_or(USUAL, |(Width(columns), _)| columns))
}
