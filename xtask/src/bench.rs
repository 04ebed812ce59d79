//! `cargo xtask bench`: what policies and their exchange cost, in a few minutes.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use tokio::process::Command;

/// Cargo builds benches as for a release.
const BENCH: [&str; 4] = ["bench", "--workspace", "--bench", "policies"];

/// Builds and measures; the tables go to standard output.
pub(crate) async fn run() -> Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(BENCH).kill_on_drop(true).status().await?;
    ensure!(status.success(), "the bench did not come to its end");
    Ok(ExitCode::SUCCESS)
}
