//! The binary `optimize-backup`.

use std::process::ExitCode;

use clap::Parser;
use optimize_backup::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run().into()
}
