//! The project's own commands: `cargo xtask …`.

mod bench;
mod demo;
mod dist;
mod matrix;
mod soak;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The root of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a backup of an invented Optimize on a real Elasticsearch, and lets you go on from there.
    Demo(demo::Options),
    /// Builds everything that is published into one folder: components, WIT package, sums, OCI layouts.
    Dist(dist::Options),
    /// Measures what policies and their exchange cost, as built for a release: the first time takes many minutes more.
    Bench,
    /// Runs everything that is tested, or some columns of it: what cargo test leaves out, by engine, host and language.
    Matrix(matrix::Options),
    /// Fuzzes whatever reads foreign bytes, and kills hosts, until the time is up or something is found.
    Soak(soak::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(options) => demo::run(options).await,
        Command::Dist(options) => dist::run(&options),
        Command::Bench => bench::run().await,
        Command::Matrix(options) => matrix::run(options).await,
        Command::Soak(options) => soak::run(options).await,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
