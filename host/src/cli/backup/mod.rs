//! `optimize-backup backup …`, against a running server or in this process.

mod confirm;
mod create;
mod delete;
mod error;
mod expire;
mod follow;
mod progress;
mod restore;
mod show;
mod verify;
mod view;
mod wait;

use backup_core::{BackupId, InvalidBackupId};
use clap::{Args, Subcommand};

use self::create::Create;
use self::delete::Delete;
use self::expire::Expire;
use self::follow::Follow;
use self::restore::Restore;
use self::show::{Get, List};
use self::verify::Verify;
use self::wait::or_interrupted;
use super::client::{Client, Target};
use super::output::Format;

pub(super) use self::error::BackupCommandError;

const EXIT_STATUS: &str = "Exit status: 0 done, with --wait: COMPLETE; 1 it ended badly; 2 wrong usage; 3 no such backup; \
    4 conflict; 5 refused; 6 not reachable; 7 not authorized; 8 --timeout is over, it goes on; 130 interrupted.";

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct BackupCommand {
    /// How results are printed.
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a backup.
    #[command(after_help = EXIT_STATUS)]
    Create(Create),
    /// List backups, largest ID first.
    List(List),
    /// Show one backup.
    Get(Get),
    /// Show how far a backup is.
    #[command(after_help = EXIT_STATUS)]
    Progress(Follow),
    /// Delete a backup. It cannot be undone.
    Delete(Delete),
    /// Restore a backup. What is there is replaced, which cannot be undone.
    #[command(after_help = EXIT_STATUS)]
    Restore(Restore),
    /// Verify a backup: restore a copy of it beside the installation, check it, and delete it.
    #[command(after_help = EXIT_STATUS)]
    Verify(Verify),
    /// Delete the backups that the rules of retention let expire. It cannot be undone.
    Expire(Expire),
}

impl BackupCommand {
    pub(super) fn run(self) -> Result<(), BackupCommandError> {
        // As for a server: with --local it is one.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let outcome = runtime.block_on(async {
            let starting = async { Ok(Client::new(self.target).await?) };
            let client = or_interrupted(starting, || "nothing was done".to_owned()).await?;
            self.action.run(&client, self.output).await
        });
        // A question that Ctrl-C has ended still waits for a line.
        runtime.shutdown_background();
        outcome
    }
}

impl Action {
    async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        match self {
            Self::Create(create) => create.run(client, format).await,
            Self::List(list) => or_interrupted(list.run(client, format), unchanged).await,
            Self::Get(get) => or_interrupted(get.run(client, format), unchanged).await,
            Self::Progress(follow) => follow.run(client, format).await,
            Self::Delete(delete) => delete.run(client, format).await,
            Self::Restore(restore) => restore.run(client, format).await,
            Self::Verify(verify) => verify.run(client, format).await,
            Self::Expire(expire) => expire.run(client, format).await,
        }
    }
}

fn unchanged() -> String {
    "nothing was changed".to_owned()
}

/// An ID on the command line.
fn backup_id(text: &str) -> Result<BackupId, InvalidBackupId> {
    BackupId::parse(text)
}
