//! `cargo xtask bench`: what policies and their exchange cost, in a few minutes.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use tokio::process::Command;

const BENCH: [&str; 4] = ["bench", "--workspace", "--bench", "policies"];

/// The crates that are measured. What they depend on is optimised for every build.
const MEASURED: [&str; 4] = ["optimize-backup", "backup-actuator", "backup-core", "backup-elasticsearch"];

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
    let mut bench = Command::new(cargo);
    bench.args(BENCH);
    if !options.release {
        bench.args(["--profile", "dev"]);
        for package in MEASURED {
            bench.arg("--config").arg(format!("profile.dev.package.{package}.opt-level=3"));
        }
    }
    let status = bench.kill_on_drop(true).status().await?;
    ensure!(status.success(), "the bench did not come to its end");
    Ok(ExitCode::SUCCESS)
}
