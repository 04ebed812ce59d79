//! The command line.

mod policy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::server::{self, ServeError};
use crate::settings::{Settings, SettingsError};
use policy::{PolicyCommand, PolicyCommandError};

/// Backups of Camunda Optimize on Elasticsearch and OpenSearch, decided in a WebAssembly sandbox.
#[derive(Debug, Parser)]
#[command(name = "optimize-backup", version)]
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
    /// Examine, try and sign policy components.
    #[command(subcommand)]
    Policy(PolicyCommand),
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The server did not start, or ended by itself.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A command about policies failed.
    #[error(transparent)]
    Policy(#[from] PolicyCommandError),
}

impl Cli {
    /// Does what was asked for; returns when that is done.
    pub fn run(self) -> Result<ExitCode, CliError> {
        match self.command {
            Command::Serve { config } => {
                let settings = load_settings(config.as_deref()).map_err(ServeError::from)?;
                server::serve(settings)?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Policy(command) => Ok(command.run()?),
        }
    }
}

fn load_settings(config: Option<&Path>) -> Result<Settings, SettingsError> {
    Settings::load(config, |name| std::env::var(name).ok())
}
