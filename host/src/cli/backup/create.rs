use std::time::Duration;

use backup_actuator::BackupView;
use backup_core::BackupId;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::error::BackupCommandError;
use super::progress::Progress;
use super::view::{self, Progression};
use super::wait::{Look, WaitOptions, or_interrupted};
use crate::cli::client::{Client, ClientError, Received, one_line};
use crate::cli::output::{Format, note, print, terminal_width};

/// A POST without an answer may still be on its way: for so long a backup that is not there is looked for again.
const CREATE_VISIBILITY_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct Create {
    /// A number that no backup has yet. Left out, it is the time, in seconds since 1970.
    #[arg(value_parser = super::backup_id)]
    id: Option<BackupId>,
    #[command(flatten)]
    waiting: WaitOptions,
}

impl Create {
    pub(super) async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        let id = self.id.or_else(id_of_now).ok_or(BackupCommandError::Clock)?;
        let interrupted = || format!("backup {id} may have been started: `optimize-backup backup get {id}` tells");
        let posted = or_interrupted(async { Ok(client.create(id).await) }, interrupted).await?;
        match posted {
            Ok(message) if !self.waiting.wait => print_scheduled(id, &message.message, format),
            Ok(_) => self.wait(client, id, None, format).await,
            Err(error) if !error.may_have_acted() => Err(error.into()),
            Err(error) if !self.waiting.wait => Err(BackupCommandError::MayHaveStarted { id, error }),
            Err(error) => {
                note(&format!("{error}; backup {id} may have been started all the same: looking for it"));
                self.wait(client, id, Some(error), format).await
            }
        }
    }

    /// `unsure` is what was answered in the place of a 202.
    async fn wait(
        &self,
        client: &Client,
        id: BackupId,
        mut unsure: Option<ClientError>,
        format: Format,
    ) -> Result<(), BackupCommandError> {
        let ongoing = || format!("backup {id} goes on: `optimize-backup backup get {id}` shows how it is");
        let look = async |elapsed| match client.get(id).await {
            Ok(backup) => {
                unsure = None;
                Ok(match view::progression(&backup.body) {
                    Progression::Ongoing => Look::Ongoing(view::parts(&backup.body)),
                    Progression::Restorable | Progression::EndedBadly => Look::Ended(backup),
                })
            }
            Err(error) if !error.is_not_found() => Err(error.into()),
            Err(_) if unsure.is_some() && elapsed < CREATE_VISIBILITY_TIMEOUT => {
                Ok(Look::Ongoing("not there yet".to_owned()))
            }
            Err(_) => Err(match unsure.take() {
                Some(error) => BackupCommandError::NotStarted { id, error },
                None => BackupCommandError::Gone { id },
            }),
        };
        let backup = self.waiting.until_ended(ongoing, Progress::of(format!("backup {id}")), look).await?;
        print_end(id, backup, format)
    }
}

/// As Camunda recommends.
fn id_of_now() -> Option<BackupId> {
    BackupId::new(u64::try_from(Timestamp::now().as_second()).ok()?)
}

fn print_scheduled(id: BackupId, message: &str, format: Format) -> Result<(), BackupCommandError> {
    Ok(match (format, terminal_width()) {
        // The server's message, with the ID that may be one of our own making.
        (Format::Json, _) => print(&json!({"backupId": id.get(), "message": message}).to_string()),
        (Format::Text, None) => print(&id.to_string()),
        (Format::Text, Some(_)) => {
            print(&format!("Backup {id} is being made. `optimize-backup backup get {id}` shows how it is."))
        }
    }?)
}

fn print_end(id: BackupId, backup: Received<BackupView>, format: Format) -> Result<(), BackupCommandError> {
    let terminal = terminal_width();
    view::print_one(&backup, format)?;
    match view::progression(&backup.body) {
        Progression::Restorable => Ok(()),
        Progression::Ongoing | Progression::EndedBadly => {
            // On a terminal it stands above.
            let told = terminal.is_some() && format == Format::Text;
            let reason = backup.body.failure_reason.filter(|_| !told).map(|reason| one_line(&reason));
            Err(BackupCommandError::CannotBeRestored { id, state: one_line(&backup.body.state), reason })
        }
    }
}
