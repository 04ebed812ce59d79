//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::server::{self, ServeError};
use crate::settings::Settings;

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
}

impl Cli {
    /// Does what was asked for; returns when that is done.
    ///
    /// # Errors
    /// [`ServeError`]: the server did not start, or ended by itself.
    pub fn run(self) -> Result<(), ServeError> {
        match self.command {
            Command::Serve { config } => {
                let settings = Settings::load(config.as_deref(), |name| std::env::var(name).ok())?;
                server::serve(settings)
            }
        }
    }
}
