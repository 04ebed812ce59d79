//! Where cargo builds.

use std::path::PathBuf;

/// Cargo's target folder: the running program is in it, unless it was moved.
#[must_use]
pub fn target_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(ToOwned::to_owned)
}
