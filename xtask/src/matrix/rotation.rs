//! Which column a commit chooses.

use std::fmt;

use anyhow::{Context, Result, ensure};
use backup_test_support::matrix::{COLUMNS, Column, Group};
use tokio::process::Command;

use crate::ROOT;

/// How many digits of a commit choose.
const DIGITS: usize = 8;

/// The choice of a commit, which nobody can make without changing the commit, and which anybody can repeat.
pub(super) struct Rotation {
    commit: String,
    column: Column,
}

impl Rotation {
    pub(super) async fn of_the_last_commit() -> Result<Self> {
        let output = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(ROOT).output().await;
        let output = output.context("git does not run, and the commit chooses the column")?;
        ensure!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
        Self::of(String::from_utf8(output.stdout)?.trim())
    }

    fn of(commit: &str) -> Result<Self> {
        let digits = commit.get(..DIGITS).with_context(|| format!("{commit} is no commit"))?;
        let number = u32::from_str_radix(digits, 16).with_context(|| format!("{commit} is no commit"))?;
        let columns = columns();
        let index = usize::try_from(number)?.checked_rem(columns.len()).context("no column rotates")?;
        let column = *columns.get(index).context("no column rotates")?;
        Ok(Self { commit: commit.to_owned(), column })
    }

    pub(super) fn column(&self) -> Column {
        self.column
    }
}

fn columns() -> Vec<Column> {
    COLUMNS.into_iter().filter(|column| column.group == Group::Rotated).collect()
}

impl fmt::Display for Rotation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (columns, name) = (columns(), self.column.name);
        let others: Vec<&str> = columns.iter().map(|column| column.name).filter(|other| *other != name).collect();
        let digits = self.commit.get(..DIGITS).unwrap_or_default();
        write!(
            out,
            "rotation: column {name}, chosen by the commit: 0x{digits} mod {}. Not run here: {}. To repeat: cargo xtask \
             matrix --column {name}; all: cargo xtask matrix",
            columns.len(),
            others.join(", ")
        )
    }
}

#[cfg(test)]
mod tests;
