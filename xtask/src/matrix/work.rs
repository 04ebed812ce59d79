//! What a column does.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use backup_test_support::matrix::{Column, Selection, Work};
use tokio::process::Command;

use super::fuzz;
use crate::{ROOT, cargo, dist};

/// How long all fuzz targets have together.
const FUZZING: Duration = Duration::from_secs(600);
/// The same for a column among the others of a check.
const FUZZING_ROTATED: Duration = Duration::from_secs(60);
/// How many hosts each of the tests of kills kills.
const KILLS: u64 = 50;

pub(super) async fn run(column: Column, rotated: bool) -> Result<()> {
    match column.work {
        Work::DefaultTests => cargo_test(&[]).await,
        Work::Ignored(selections) => {
            // All of them, also after one has failed.
            let mut outcome = Ok(());
            for selection in selections {
                outcome = outcome.and(ignored(selection).await);
            }
            outcome
        }
        Work::Kills(selections) => {
            for selection in selections {
                kill(selection).await?;
            }
            Ok(())
        }
        Work::Published => published().await,
        Work::Fuzz => fuzz::run(if rotated { FUZZING_ROTATED } else { FUZZING }).await,
    }
}

async fn ignored(selection: &Selection) -> Result<()> {
    cargo_test(&[&["--test", selection.binary, "--", "--ignored"], selection.filters].concat()).await
}

async fn cargo_test(arguments: &[&str]) -> Result<()> {
    let status = cargo(&[&["test", "--workspace"], arguments].concat()).status().await?;
    ensure!(status.success(), "cargo test --workspace {}: {status}", arguments.join(" "));
    Ok(())
}

async fn kill(selection: &Selection) -> Result<()> {
    let started = Instant::now();
    let mut tests = cargo(&["test", "--workspace", "--test", selection.binary, "--"]);
    // One at a time: together, their installations keep the engines busy for longer than these wait.
    tests.args(selection.filters).args(["--include-ignored", "--test-threads", "1"]).env("KILLS", KILLS.to_string());
    let output = tests.output().await?;
    let report = String::from_utf8_lossy(&output.stdout);
    let passed = last_after(&report, "test result: ok. ").and_then(|rest| rest.split_once(' ')?.0.parse::<u64>().ok());
    // A filter that fits no test is a success as well.
    let Some(passed) = passed.filter(|passed| *passed > 0 && output.status.success()) else {
        eprintln!("{report}{}", String::from_utf8_lossy(&output.stderr));
        bail!("the tests that kill hosts did not pass; their output is above")
    };
    println!("kills: {KILLS} in each of {passed} tests in {} s, no finding", started.elapsed().as_secs());
    Ok(())
}

/// What follows a mark where it stands last: a fuzzer writes a slow input down before the one that fails.
pub(super) fn last_after<'a>(report: &'a str, mark: &str) -> Option<&'a str> {
    report.lines().rev().find_map(|line| line.split_once(mark)).map(|(_, rest)| rest)
}

/// Builds what is published, twice, and checks the sums as its users do.
async fn published() -> Result<()> {
    tokio::task::spawn_blocking(|| dist::run(&dist::Options::twice())).await??;
    let folder = Path::new(ROOT).join(dist::FOLDER);
    let mut check = Command::new("sha256sum");
    let status = check.args(["--check", "SHA256SUMS"]).current_dir(folder).status().await;
    ensure!(status.context("sha256sum does not run")?.success(), "the sums of what is published are not right");
    Ok(())
}
