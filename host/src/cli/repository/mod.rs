//! `optimize-backup repository …`: registers and verifies the snapshot repository, without a server.

mod error;
mod register;
mod registered;
#[cfg(test)]
mod tests;
mod verify;

use std::path::PathBuf;

use backup_core::{InvalidRepositoryName, RepositoryName};
use clap::{Args, Subcommand};

use self::register::Register;
use super::engine::EngineAccess;
use super::interrupt::or_interrupted;
use super::output::Format;
use super::{load_settings, log};

pub(super) use self::error::RepositoryCommandError;
pub(super) use self::verify::nodes;

const EXIT_STATUS: &str = "Exit status: 0 done; 2 wrong usage; 4 it is registered with other settings; 5 refused, or not \
    every node can write to it; 6 the search engine cannot be reached; 130 interrupted.";

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct RepositoryCommand {
    /// How results are printed.
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
    /// The settings, as for `serve`.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Register it in the search engine, and verify it.
    #[command(after_help = EXIT_STATUS)]
    Register(Register),
    /// Have each node of the search engine write a small file to it and read it.
    #[command(after_help = EXIT_STATUS)]
    Verify {
        /// The repository. Left out, it is that of the settings.
        #[arg(value_parser = repository_name)]
        name: Option<RepositoryName>,
    },
}

impl RepositoryCommand {
    pub(super) fn run(self) -> Result<(), RepositoryCommandError> {
        log::warnings_to_standard_error();
        let mut settings = load_settings(self.config.as_deref())?;
        let given = match &self.action {
            Action::Register(register) => register.name.clone(),
            Action::Verify { name } => name.clone(),
        };
        let repository = given.or(settings.repository).ok_or(RepositoryCommandError::NotConfigured)?;
        settings.repository = Some(repository.clone());
        let engine = EngineAccess::new(&settings)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            match self.action {
                Action::Register(register) => {
                    let consequence = || format!("{repository} may have been registered: `repository verify` tells");
                    or_interrupted(register.run(&engine, &repository, self.output), consequence).await?
                }
                Action::Verify { .. } => {
                    let verified = verify::run(&engine, &repository, self.output);
                    or_interrupted(verified, || "nothing was changed".to_owned()).await?
                }
            }
        })
    }
}

fn repository_name(text: &str) -> Result<RepositoryName, InvalidRepositoryName> {
    RepositoryName::parse(text)
}
