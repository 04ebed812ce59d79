//! The command line.
//!
//! `serve` is the server, `backup` speaks to one that runs, `repository`, `doctor` and `policy` need none.

mod backup;
mod client;
mod doctor;
mod documents;
mod engine;
mod exit;
mod interrupt;
mod log;
mod output;
mod policy;
mod repository;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use self::backup::{BackupCommand, BackupCommandError};
use self::doctor::{DoctorCommand, DoctorError};
use self::documents::ManError;
use self::output::{PrintError, note};
use self::policy::{PolicyCommand, PolicyCommandError};
use self::repository::{RepositoryCommand, RepositoryCommandError};
use crate::server::{self, ServeError};
use crate::settings::{Settings, SettingsError};

pub use self::exit::ExitStatus;

/// The binary's name.
const NAME: &str = "optimize-backup";

/// Backups of Camunda Optimize on Elasticsearch and OpenSearch, decided in a WebAssembly sandbox.
#[derive(Debug, Parser)]
#[command(name = NAME, version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the backup API.
    Serve {
        /// A YAML file with Optimize's own keys, such as its environment-config.yaml. Environment
        /// variables fill what it leaves out.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Make, list, show and delete backups, through a running server or, with --local, in this process.
    Backup(BackupCommand),
    /// Look at everything that a backup needs, and say what is wrong and what to do. Only the test of the repository writes.
    Doctor(DoctorCommand),
    /// Register and verify the snapshot repository in the search engine, without a server.
    Repository(RepositoryCommand),
    /// Examine, try and sign policy components.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Print the OpenAPI document of the server: what GET /actuator/openapi.json answers.
    Openapi,
    /// Print a script that completes commands and options in a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write man pages, one for each command.
    Man {
        /// The folder to write them to.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// The server did not start, or ended by itself.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A command about backups failed.
    #[error(transparent)]
    Backup(#[from] BackupCommandError),
    #[error(transparent)]
    Doctor(#[from] DoctorError),
    /// A command about the repository failed.
    #[error(transparent)]
    Repository(#[from] RepositoryCommandError),
    /// A command about policies failed.
    #[error(transparent)]
    Policy(#[from] PolicyCommandError),
    #[error(transparent)]
    Man(#[from] ManError),
    #[error(transparent)]
    Print(#[from] PrintError),
}

impl Cli {
    /// Does what was asked for, tells on standard error why not, and returns when that is done.
    pub fn run(self) -> ExitStatus {
        self.command.run().unwrap_or_else(|error| {
            note(&format!("{NAME}: {error}"));
            error.exit_status()
        })
    }
}

impl Command {
    fn run(self) -> Result<ExitStatus, CliError> {
        match self {
            Self::Serve { config } => server::serve(load_settings(config.as_deref()).map_err(ServeError::from)?)?,
            Self::Backup(command) => command.run()?,
            Self::Doctor(command) => return Ok(command.run()?),
            Self::Repository(command) => command.run()?,
            Self::Policy(command) => return Ok(command.run()?),
            Self::Openapi => documents::print_openapi()?,
            Self::Completions { shell } => documents::print_completions(shell)?,
            Self::Man { folder } => documents::write_man_pages(&folder)?,
        }
        Ok(ExitStatus::Done)
    }
}

impl CliError {
    fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Backup(error) => error.exit_status(),
            Self::Doctor(error) => error.exit_status(),
            Self::Repository(error) => error.exit_status(),
            Self::Policy(error) => error.exit_status(),
            Self::Serve(_) | Self::Man(_) | Self::Print(_) => ExitStatus::EndedBadly,
        }
    }
}

fn load_settings(config: Option<&Path>) -> Result<Settings, SettingsError> {
    Settings::load(config, |name| std::env::var(name).ok())
}
