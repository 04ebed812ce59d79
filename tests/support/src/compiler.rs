//! A compiler of policies that compiles each component once in a test process.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::guardian::Guardian;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/compile-once.sh");

/// A program to compile with in the place of this `optimize-backup`, for tests that are not about compiling. It ends with
/// the test process.
///
/// # Errors
/// It has no place.
pub fn once(program: &Path) -> Result<PathBuf> {
    static FOLDER: OnceLock<Guardian> = OnceLock::new();
    let guardian = match FOLDER.get() {
        Some(guardian) => guardian,
        None => {
            let guardian = Guardian::new(&std::env::temp_dir(), "compiler")?;
            for (target, name) in [(program, "program"), (Path::new(SCRIPT), "compile")] {
                symlink(target, guardian.folder().join(name)).with_context(|| format!("a link to {name}"))?;
            }
            FOLDER.get_or_init(|| guardian)
        }
    };
    Ok(guardian.folder().join("compile"))
}
