//! `cargo xtask bench`: what policies and their exchange cost, in a few minutes.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use tokio::process::Command;

const BENCH: [&str; 4] = ["bench", "--workspace", "--bench", "policies"];

/// The dependencies are optimised as they are for every build; this does it for what is measured here, too.
const OPTIMISED: [&str; 6] = [
    "--profile",
    "dev",
    "--config",
    "profile.dev.package.optimize-backup.opt-level=3",
    "--config",
    "profile.dev.package.backup-core.opt-level=3",
];

/// How to build what is measured.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Build everything as for a release, which takes many minutes the first time.
    #[arg(long)]
    release: bool,
}

/// Builds and measures; the tables go to standard output.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let profile = if options.release { &[][..] } else { &OPTIMISED };
    let status = Command::new(cargo).args(BENCH).args(profile).kill_on_drop(true).status().await?;
    ensure!(status.success(), "the bench did not come to its end");
    Ok(ExitCode::SUCCESS)
}
