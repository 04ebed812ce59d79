use std::io::{self, BufRead, IsTerminal, Write};

use backup_actuator::BackupView;
use backup_core::BackupId;
use clap::Args;

use super::error::BackupCommandError;
use super::progress::Progress;
use super::view;
use super::wait::{Look, WaitOptions, or_interrupted};
use crate::cli::client::{Client, one_line};
use crate::cli::output::{Format, note, print, terminal_width};

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
        self.ask(client).await?;
        let earlier_failure = self.submit(client).await?;
        if !self.waiting.wait {
            return print_outcome(id, "is being deleted, which can take minutes", format);
        }
        self.wait_until_gone(client, earlier_failure).await?;
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
        let confirmed = self.yes || or_interrupted(confirm(backup.body), untouched).await.inspect_err(|_| note(""))?;
        if confirmed { Ok(()) } else { Err(BackupCommandError::Declined { id }) }
    }

    /// Returns why an earlier deletion failed: servers tell that for a day, and it is not about this one.
    async fn submit(&self, client: &Client) -> Result<Option<String>, BackupCommandError> {
        let id = self.id;
        let submitted = async {
            let earlier_failure = if self.waiting.wait { client.failed_deletion(id).await? } else { None };
            client.delete(id).await?;
            Ok(earlier_failure)
        };
        or_interrupted(submitted, || format!("backup {id} may be being deleted")).await
    }

    async fn wait_until_gone(
        &self,
        client: &Client,
        earlier_failure: Option<String>,
    ) -> Result<(), BackupCommandError> {
        let id = self.id;
        let ongoing = || format!("the deletion goes on: `optimize-backup backup get {id}` tells whether it is done");
        let look = async |_| match client.get(id).await {
            Err(error) if error.is_not_found() => Ok(Look::Ended(())),
            Err(error) => Err(error.into()),
            Ok(backup) => match client.failed_deletion(id).await? {
                Some(reason) if Some(&reason) != earlier_failure.as_ref() => {
                    Err(BackupCommandError::NotDeleted { id, reason: one_line(&reason) })
                }
                _ => Ok(Look::Ongoing(view::parts(&backup.body))),
            },
        };
        self.waiting.until_ended(ongoing, Progress::of(format!("deleting backup {id}")), look).await
    }
}

/// Asks on the terminal.
async fn confirm(backup: BackupView) -> Result<bool, BackupCommandError> {
    let question = format!("Delete backup {}? It cannot be undone. [y/N] ", view::summary(&backup));
    let answer = tokio::task::spawn_blocking(move || {
        io::stderr().write_all(question.as_bytes())?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        Ok::<_, io::Error>(line)
    });
    let answer = answer.await.map_err(io::Error::other)??;
    Ok(["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes)))
}

/// The server answers a deletion without a body, so there is no JSON to print.
fn print_outcome(id: BackupId, outcome: &str, format: Format) -> Result<(), BackupCommandError> {
    Ok(match (format, terminal_width()) {
        (Format::Json, _) => Ok(()),
        (Format::Text, None) => print(&id.to_string()),
        (Format::Text, Some(_)) => print(&format!("Backup {id} {outcome}.")),
    }?)
}
