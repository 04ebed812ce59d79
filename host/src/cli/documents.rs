//! `optimize-backup completions`, `man` and `openapi`: what shells, `man` and clients are to know.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use super::output::{PrintError, print};
use super::{Cli, NAME};
use crate::http::document;

/// Why the man pages cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum ManError {
    #[error("{}: {error}", folder.display())]
    Write { folder: PathBuf, error: io::Error },
    #[error(transparent)]
    Print(#[from] PrintError),
}

pub(super) fn print_completions(shell: Shell) -> Result<(), PrintError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    print(&String::from_utf8_lossy(&script))
}

pub(super) fn print_openapi() -> Result<(), PrintError> {
    print(&serde_json::to_string_pretty(&document()).unwrap_or_default())
}

/// Writes a page for each command.
pub(super) fn write_man_pages(folder: &Path) -> Result<(), ManError> {
    let write = || {
        fs::create_dir_all(folder)?;
        clap_mangen::generate_to(Cli::command(), folder)
    };
    write().map_err(|error| ManError::Write { folder: folder.to_owned(), error })?;
    let first = folder.join(format!("{NAME}.1"));
    print(&format!("wrote a page for each command; `man {}` shows the first", first.display()))?;
    Ok(())
}
