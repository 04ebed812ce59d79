//! `optimize-backup backup …`, against a running server.

mod create;
mod delete;
mod error;
mod progress;
mod show;
mod view;
mod wait;

use backup_core::{BackupId, InvalidBackupId};
use clap::{Args, Subcommand};

use self::create::Create;
use self::delete::Delete;
use self::show::{Get, List};
use super::client::{Client, ServerOptions};
use super::output::Format;

pub(super) use self::error::BackupCommandError;

#[derive(Debug, Args)]
pub(super) struct BackupCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a backup.
    Create(Create),
    /// List backups, newest first.
    List(List),
    /// Show one backup.
    Get(Get),
    /// Delete a backup. It cannot be undone.
    Delete(Delete),
}

impl BackupCommand {
    pub(super) fn run(self) -> Result<(), BackupCommandError> {
        let client = Client::new(self.server)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let outcome = runtime.block_on(self.action.run(&client, self.output));
        // A question that Ctrl-C has ended still waits for a line.
        runtime.shutdown_background();
        outcome
    }
}

impl Action {
    async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        match self {
            Self::Create(create) => create.run(client, format).await,
            Self::List(list) => list.run(client, format).await,
            Self::Get(get) => get.run(client, format).await,
            Self::Delete(delete) => delete.run(client, format).await,
        }
    }
}

/// An ID on the command line.
fn backup_id(text: &str) -> Result<BackupId, InvalidBackupId> {
    BackupId::parse(text)
}
