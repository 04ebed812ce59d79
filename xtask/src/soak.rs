//! `cargo xtask soak`: fuzzing and killing, for as long as you like, until the first finding.

use std::fs;
use std::path::Path;
use std::process::{ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use tokio::process::Command;

use crate::ROOT;

/// The tests that kill hosts in the middle of their work: with a restart, and with a neighbour that resumes.
const KILL_TESTS: [&str; 4] = ["test", "--workspace", "--test", "scenarios"];
const KILL_TESTS_FILTER: &str = "kills";
/// How many hosts each of them kills.
const KILLS: u64 = 50;

/// How long to soak, and in what.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// How long in all, besides building. Kill tests that have begun are finished.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Give one of the two all of the time instead of half of it.
    #[arg(long)]
    only: Option<Half>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Half {
    /// Every fuzz target, for an equal share of the time.
    Fuzz,
    /// The kill tests on every engine, again and again.
    Kills,
}

/// Fuzzes, then kills. Ends at the first finding.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let time = Duration::from_secs(options.minutes.saturating_mul(60));
    let (fuzzing, killing) = match options.only {
        Some(Half::Fuzz) => (Some(time), None),
        Some(Half::Kills) => (None, Some(time)),
        None => (Some(time / 2), Some(time / 2)),
    };
    if let Some(time) = fuzzing {
        fuzz(time).await?;
    }
    if let Some(time) = killing {
        kill(time).await?;
    }
    println!("no finding");
    Ok(ExitCode::SUCCESS)
}

/// Fuzzes every target for an equal share of the time.
pub(crate) async fn fuzz(time: Duration) -> Result<()> {
    expect_tools().await?;
    let targets = targets().await?;
    let share = time.as_secs() / u64::try_from(targets.len())?.max(1);
    build(nightly(&["fuzz", "build"])).await?;
    for target in &targets {
        let executed = fuzz_target(target, share.max(1)).await?;
        println!("fuzz {target}: {executed} inputs in {share} s, no finding");
    }
    Ok(())
}

async fn expect_tools() -> Result<()> {
    const TOOLCHAIN: &str = "rustup toolchain install nightly --profile minimal";
    const CARGO_FUZZ: &str = "cargo install --locked cargo-fuzz";
    ensure!(runs(nightly(&["--version"])).await, "fuzzing needs Rust's nightly toolchain: {TOOLCHAIN}");
    ensure!(runs(nightly(&["fuzz", "--version"])).await, "fuzzing needs cargo-fuzz: {CARGO_FUZZ}");
    Ok(())
}

async fn runs(mut command: Command) -> bool {
    command.output().await.is_ok_and(|output| output.status.success())
}

async fn targets() -> Result<Vec<String>> {
    let output = nightly(&["fuzz", "list"]).output().await?;
    let targets: Vec<String> = String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect();
    ensure!(output.status.success() && !targets.is_empty(), "cargo fuzz lists no targets");
    Ok(targets)
}

/// Fuzzes one target and tells how many inputs were tried.
async fn fuzz_target(target: &str, seconds: u64) -> Result<u64> {
    // New inputs go into the first folder, so that the next soak goes on from here.
    let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
    fs::create_dir_all(Path::new(ROOT).join(&corpus)).context("the folder for the corpus cannot be made")?;
    let output = nightly(&["fuzz", "run", target, &corpus, &seeds, "--"])
        .args([&format!("-max_total_time={seconds}"), "-print_final_stats=1"])
        .output()
        .await?;
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        eprintln!("{report}");
        let input = after(&report, "Test unit written to ").unwrap_or("not written; see above");
        bail!("a finding in the fuzz target {target}; the input is {input}");
    }
    let executed = after(&report, "stat::number_of_executed_units:").and_then(|number| number.trim().parse().ok());
    executed.with_context(|| format!("the fuzz target {target} does not tell what it did"))
}

/// What follows a mark where it stands last: a slow input is written down before the one that fails.
fn after<'a>(report: &'a str, mark: &str) -> Option<&'a str> {
    report.lines().rev().find_map(|line| line.split_once(mark)).map(|(_, rest)| rest)
}

async fn kill(time: Duration) -> Result<()> {
    build(cargo(&[&KILL_TESTS[..], &["--no-run"]].concat())).await?;
    let begin = Instant::now();
    // On every engine and in other hosts too.
    kill_once(&["--include-ignored", KILL_TESTS_FILTER]).await?;
    while begin.elapsed() < time {
        kill_once(&["--include-ignored", KILL_TESTS_FILTER]).await?;
    }
    Ok(())
}

/// Runs the kill tests that fit once, each with many kills.
pub(crate) async fn kill_once(filters: &[&str]) -> Result<()> {
    let started = Instant::now();
    // One at a time: together, their installations keep the engines busy for longer than these wait.
    let mut tests = cargo(&[&KILL_TESTS[..], &["--"], filters, &["--test-threads", "1"]].concat());
    let passed = expect_passed(&tests.env("KILLS", KILLS.to_string()).output().await?)?;
    println!("kills: {KILLS} in each of {passed} tests in {} s, no finding", started.elapsed().as_secs());
    Ok(())
}

/// How many tests there were.
fn expect_passed(output: &Output) -> Result<u64> {
    let report = String::from_utf8_lossy(&output.stdout);
    let passed = after(&report, "test result: ok. ").and_then(|rest| rest.split_once(' ')?.0.parse().ok());
    // A filter that fits no test is a success as well.
    match passed.filter(|passed| *passed > 0 && output.status.success()) {
        Some(passed) => Ok(passed),
        None => {
            eprintln!("{report}{}", String::from_utf8_lossy(&output.stderr));
            bail!("the tests that kill hosts did not pass; their output is above")
        }
    }
}

/// Runs a build, with cargo's own progress on the terminal.
async fn build(mut command: Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).status().await?;
    ensure!(status.success(), "what is to be soaked does not build");
    Ok(())
}

/// A cargo of the nightly toolchain, by way of rustup.
fn nightly(arguments: &[&str]) -> Command {
    let mut command = cargo(&["+nightly"]);
    command.args(arguments);
    command
}

fn cargo(arguments: &[&str]) -> Command {
    // Not the one of the variable CARGO, which knows no other toolchain than its own.
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(ROOT).kill_on_drop(true);
    command
}
