//! `cargo xtask bench`: builds everything as for a release, and measures it.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;

use crate::cargo;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only this part; can be repeated. `--only help` names them. Without: all but those that take minutes.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
}

/// Runs the bench, which prints a table and writes `bench.json` into cargo's target folder.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let mut bench = cargo(&["bench", "--workspace", "--bench", "policies", "--"]);
    for part in &options.only {
        bench.args(["--only", part]);
    }
    ensure!(bench.status().await?.success(), "the bench did not come to its end");
    Ok(ExitCode::SUCCESS)
}
