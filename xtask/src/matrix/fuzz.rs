//! The column `fuzz`: every fuzz target for an equal share of the time, until the first finding.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use super::work::last_after;
use crate::{ROOT, cargo};

pub(super) async fn run(time: Duration) -> Result<()> {
    expect_tools().await?;
    let targets = targets().await?;
    let share = (time.as_secs() / u64::try_from(targets.len())?.max(1)).max(1);
    ensure!(nightly(&["fuzz", "build"]).status().await?.success(), "the fuzz targets do not build");
    for target in &targets {
        let executed = fuzz(target, share).await?;
        println!("fuzz {target}: {executed} inputs in {share} s, no finding");
    }
    Ok(())
}

async fn expect_tools() -> Result<()> {
    const TOOLCHAIN: &str = "rustup toolchain install nightly --profile minimal";
    const CARGO_FUZZ: &str = "cargo install --locked cargo-fuzz";
    let runs = async |mut command: Command| command.output().await.is_ok_and(|output| output.status.success());
    ensure!(runs(nightly(&["--version"])).await, "fuzzing needs Rust's nightly toolchain: {TOOLCHAIN}");
    ensure!(runs(nightly(&["fuzz", "--version"])).await, "fuzzing needs cargo-fuzz: {CARGO_FUZZ}");
    Ok(())
}

async fn targets() -> Result<Vec<String>> {
    let output = nightly(&["fuzz", "list"]).output().await?;
    let targets: Vec<String> = String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect();
    ensure!(output.status.success() && !targets.is_empty(), "cargo fuzz lists no targets");
    Ok(targets)
}

/// Fuzzes one target and returns how many inputs were tried.
async fn fuzz(target: &str, seconds: u64) -> Result<u64> {
    // New inputs go into the first folder, so that the next run starts with them.
    let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
    fs::create_dir_all(Path::new(ROOT).join(&corpus)).context("the folder for the corpus cannot be made")?;
    let output = nightly(&["fuzz", "run", target, &corpus, &seeds, "--"])
        .args([&format!("-max_total_time={seconds}"), "-print_final_stats=1"])
        .output()
        .await?;
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        eprintln!("{report}");
        let input = last_after(&report, "Test unit written to ").unwrap_or("not written; see above");
        bail!("a finding in the fuzz target {target}; the input is {input}");
    }
    let executed = last_after(&report, "stat::number_of_executed_units:").and_then(|number| number.trim().parse().ok());
    executed.with_context(|| format!("the fuzz target {target} does not tell what it did"))
}

/// A cargo of the nightly toolchain, by way of rustup.
fn nightly(arguments: &[&str]) -> Command {
    cargo(&[&["+nightly"], arguments].concat())
}
