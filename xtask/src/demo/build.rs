use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::build_messages;

/// Builds the host, with cargo's own progress on the terminal, and tells where the binary is.
pub(super) async fn host() -> Result<PathBuf> {
    // With the features that the tests have, so that nothing is built twice for demo and tests: those
    // of the whole workspace, and, which the examples are for, of the dependencies of tests.
    let messages = build_messages(&["build", "--workspace", "--bin", "optimize-backup", "--examples"]).await?;
    let mut executables = messages.iter().rev().filter_map(|message| message.get("executable")?.as_str());
    executables.next().map(PathBuf::from).context("cargo does not tell the binary")
}
