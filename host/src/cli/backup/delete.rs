use std::io::{self, IsTerminal};

use backup_actuator::BackupView;
use backup_core::BackupId;
use clap::Args;

use super::confirm::confirm;
use super::error::BackupCommandError;
use super::progress::Progress;
use super::view;
use super::wait::{Look, WaitOptions, or_interrupted};
use crate::cli::client::{Client, DeletionStatus, one_line};
use crate::cli::output::{Format, note, print, terminal_width};

/// A failure in the words of an earlier one can be that of another server, which has no part in this deletion; but then
/// some look in between is answered by the one that has.
const MAX_SAME_FAILURES: u32 = 5;

#[derive(Debug, Args)]
pub(super) struct Delete {
    /// The backup.
    #[arg(value_parser = super::backup_id)]
    id: BackupId,
    /// Do not ask. Where there is no terminal, nothing is deleted without it.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    waiting: WaitOptions,
}

impl Delete {
    pub(super) async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        let id = self.id;
        let waits = self.waiting.applies(client)?;
        self.ask(client).await?;
        let earlier = self.submit(client, waits).await?;
        if !waits {
            return print_outcome(id, "is being deleted, which can take minutes", format);
        }
        self.wait_until_gone(client, earlier).await?;
        print_outcome(id, "is deleted", format)
    }

    /// Finds the backup, because the server answers the deletion of one that is not there as if it had been, and asks
    /// whether it is meant.
    async fn ask(&self, client: &Client) -> Result<(), BackupCommandError> {
        let id = self.id;
        let untouched = || format!("backup {id} was not deleted");
        let somebody_is_there = io::stdin().is_terminal() && io::stderr().is_terminal();
        if !self.yes && !somebody_is_there {
            return Err(BackupCommandError::YesMissing { id });
        }
        let backup = or_interrupted(async { Ok(client.get(id).await?) }, untouched).await?;
        // After Ctrl-C the question still stands on the line.
        let confirmed =
            self.yes || or_interrupted(confirm(question(&backup.body)), untouched).await.inspect_err(|_| note(""))?;
        if confirmed { Ok(()) } else { Err(BackupCommandError::Declined { id }) }
    }

    /// Returns what is known of an earlier deletion: servers tell a failure for a day, and it is not about this one.
    async fn submit(&self, client: &Client, waits: bool) -> Result<DeletionStatus, BackupCommandError> {
        let id = self.id;
        let submitted = async {
            let earlier = if waits { client.deletion(id).await? } else { DeletionStatus::NotKnown };
            client.delete(id).await?;
            Ok(earlier)
        };
        or_interrupted(submitted, || format!("backup {id} may be being deleted")).await
    }

    async fn wait_until_gone(&self, client: &Client, earlier: DeletionStatus) -> Result<(), BackupCommandError> {
        let id = self.id;
        let get = client.command(&format!("get {id}"));
        let ongoing = || format!("the search engine goes on with the deletion: {get} tells whether it is done");
        let mut same_failures = 0;
        let look = async |_| {
            let backup = match client.get(id).await {
                Ok(backup) => Some(backup),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error.into()),
            };
            let deletion = client.deletion(id).await?;
            same_failures = if deletion == earlier { same_failures + 1 } else { 0 };
            match (backup, deletion) {
                (None, DeletionStatus::Pending) => {
                    Ok(Look::Ongoing("the search engine is not done yet".to_owned().into()))
                }
                (None, _) => Ok(Look::Ended(())),
                (Some(_), DeletionStatus::Failed(reason))
                    if same_failures == 0 || same_failures >= MAX_SAME_FAILURES =>
                {
                    Err(BackupCommandError::NotDeleted { id, reason: one_line(&reason) })
                }
                (Some(backup), _) => Ok(Look::Ongoing(view::parts(&backup.body).into())),
            }
        };
        self.waiting.until_ended(ongoing, Progress::of(format!("deleting backup {id}")), look).await
    }
}

fn question(backup: &BackupView) -> String {
    format!("Delete backup {}? It cannot be undone. [y/N] ", view::summary(backup))
}

/// The server answers a deletion without a body, so there is no JSON to print.
fn print_outcome(id: BackupId, outcome: &str, format: Format) -> Result<(), BackupCommandError> {
    Ok(match (format, terminal_width()) {
        (Format::Json, _) => Ok(()),
        (Format::Text, None) => print(&id.to_string()),
        (Format::Text, Some(_)) => print(&format!("Backup {id} {outcome}.")),
    }?)
}
