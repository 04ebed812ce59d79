//! Building the host.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

/// Builds the host, with cargo's own progress on the terminal, and tells where the binary is.
pub(super) async fn host() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        // With the features that the tests have, so that nothing is built twice for demo and tests: those
        // of the whole workspace, and, which the examples are for, of the dependencies of tests.
        .args(["build", "--workspace", "--bin", "optimize-backup", "--examples"])
        // The only way to learn the path that holds for every target folder and profile.
        .arg("--message-format=json-render-diagnostics")
        // Not `output()`, which would keep cargo's progress and its errors from the terminal.
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cargo does not run")?
        .wait_with_output()
        .await?;
    ensure!(output.status.success(), "the server does not build; cargo has said above why");
    let messages = String::from_utf8(output.stdout).context("cargo's messages are not text")?;
    let binary = messages.lines().rev().find_map(executable).context("cargo does not tell the binary")?;
    Ok(PathBuf::from(binary))
}

fn executable(message: &str) -> Option<String> {
    let message: Value = serde_json::from_str(message).ok()?;
    message.get("executable")?.as_str().map(str::to_owned)
}
