use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

pub(super) struct Commit {
    pub(super) id: String,
    /// When it was made, in RFC 3339: the time of a build would differ from build to build.
    pub(super) time: String,
}

pub(super) fn last_commit() -> Result<Commit> {
    let line = git(&["log", "-1", "--format=%H %cI"])?;
    let (id, time) = line.trim().split_once(' ').context("git tells no commit")?;
    Ok(Commit { id: id.to_owned(), time: time.to_owned() })
}

/// A clone of the last commit, in another folder.
pub(super) fn clean_clone() -> Result<TempDir> {
    let folder = TempDir::with_prefix("optimize-backup-")?;
    let path = folder.path().to_str().context("the temporary folder's path is not UTF-8")?;
    git(&["clone", "--quiet", "--no-hardlinks", ".", path])?;
    Ok(folder)
}

fn git(arguments: &[&str]) -> Result<String> {
    let output = Command::new("git").args(arguments).current_dir(crate::ROOT).output();
    let output = output.context("git does not start: install it")?;
    ensure!(output.status.success(), "git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?)
}
