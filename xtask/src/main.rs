//! The project's own commands: `cargo xtask …`.

mod bench;
mod demo;
mod dist;
mod matrix;

use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use serde_json::Value;
use tokio::process;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a backup of an invented Optimize on a real Elasticsearch, and leaves it running for you to try.
    Demo(demo::Options),
    /// Builds everything that is published into one folder: components, WIT package, sums, OCI layouts.
    Dist(dist::Options),
    /// Runs everything that is tested, or some columns of it: what cargo test leaves out, by engine, host and language.
    Matrix(matrix::Options),
    /// Measures a release build, both sides of each ratio in one run.
    Bench(bench::Options),
}

/// Another cargo, in the root of the workspace. Its progress goes to the terminal.
fn cargo(arguments: &[&str]) -> process::Command {
    // Not the one of the variable CARGO, which knows no other toolchain than its own.
    let mut command = process::Command::new("cargo");
    command.args(arguments).current_dir(ROOT).kill_on_drop(true);
    command
}

/// The messages of a cargo command about what it builds, line by line.
async fn build_messages(arguments: &[&str]) -> Result<Vec<Value>> {
    let mut build = cargo(arguments);
    build.args(["--message-format", "json-render-diagnostics"]);
    // Not `output()`, which would keep cargo's progress and its errors from the terminal.
    let output = build.stdout(Stdio::piped()).spawn().context("cargo does not run")?.wait_with_output().await?;
    ensure!(output.status.success(), "cargo {}: it does not build; cargo has said above why", arguments.join(" "));
    let messages = serde_json::Deserializer::from_slice(&output.stdout).into_iter().collect::<Result<_, _>>();
    messages.context("cargo's messages are not JSON")
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(options) => demo::run(options).await,
        Command::Dist(options) => dist::run(&options),
        Command::Matrix(options) => matrix::run(options).await,
        Command::Bench(options) => bench::run(&options).await,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
