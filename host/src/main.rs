//! The binary `optimize-backup`.

use std::process::ExitCode;

use clap::Parser;
use optimize_backup::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("optimize-backup: {error}");
            ExitCode::FAILURE
        }
    }
}
