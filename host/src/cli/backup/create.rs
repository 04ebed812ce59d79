use std::time::Duration;

use backup_actuator::{BackupView, Message};
use backup_core::BackupId;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use tokio::time::Instant;

use super::error::BackupCommandError;
use super::progress::{Progress, Status};
use super::view::{self, Progression};
use super::wait::{Look, WaitOptions, or_interrupted};
use crate::cli::client::{Client, ClientError, Received, one_line};
use crate::cli::output::{Format, note, print, terminal_width};

/// A POST without an answer may still be on its way: for so long a backup that is not there is looked for again.
const CREATE_VISIBILITY_TIMEOUT: Duration = Duration::from_secs(5);
/// A server that is being restarted is back within this time.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECTION_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Create {
    /// A number that no backup has yet. Left out, it is the time, in seconds since 1970.
    #[arg(value_parser = super::backup_id)]
    id: Option<BackupId>,
    /// With --local: go on with this backup, which is in progress and which nobody drives any more, instead of making one.
    #[arg(long, requires = "id")]
    resume: bool,
    #[command(flatten)]
    waiting: WaitOptions,
}

impl Create {
    pub(super) async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        let id = self.id.or_else(id_of_now).ok_or(BackupCommandError::Clock)?;
        let waits = self.waiting.applies(client)?;
        if self.resume {
            return self.resume(client, id, format).await;
        }
        let interrupted =
            || format!("backup {id} may have been started: {} tells", client.command(&format!("get {id}")));
        let posted = or_interrupted(async { Ok(self.post(client, id, waits).await) }, interrupted).await?;
        match posted {
            Ok(message) if !waits => print_scheduled(id, &message.message, format),
            Ok(_) => self.wait(client, id, None, format).await,
            Err(error) if !error.may_have_acted() => Err(error.into()),
            Err(error) if !waits => Err(BackupCommandError::MayHaveStarted { id, error }),
            Err(error) => {
                note(&format!("{error}; backup {id} may have been started all the same: looking for it"));
                self.wait(client, id, Some(error), format).await
            }
        }
    }

    /// Whoever waits waits for a server that is being restarted, too: nothing was sent, so that it can be sent again.
    async fn post(&self, client: &Client, id: BackupId, waits: bool) -> Result<Message, ClientError> {
        let timeout = self.waiting.timeout().min(CONNECTION_TIMEOUT);
        let started = Instant::now();
        let mut is_told = false;
        loop {
            match client.create(id).await {
                Err(error) if waits && error.was_not_sent() && started.elapsed() + CONNECTION_PAUSE < timeout => {
                    if !std::mem::replace(&mut is_told, true) {
                        note(&format!("{error}; trying again for up to {} s", timeout.as_secs()));
                    }
                }
                outcome => return outcome,
            }
            tokio::time::sleep(CONNECTION_PAUSE).await;
        }
    }

    async fn resume(&self, client: &Client, id: BackupId, format: Format) -> Result<(), BackupCommandError> {
        if !client.is_local() {
            return Err(BackupCommandError::ResumeElsewhere);
        }
        or_interrupted(async { Ok(client.resume(id).await?) }, || ongoing(client, id)).await?;
        self.wait(client, id, None, format).await
    }

    /// `unsure` is what was answered in the place of a 202.
    async fn wait(
        &self,
        client: &Client,
        id: BackupId,
        mut unsure: Option<ClientError>,
        format: Format,
    ) -> Result<(), BackupCommandError> {
        let look = async |elapsed| match client.get(id).await {
            Ok(backup) => {
                unsure = None;
                Ok(match view::progression(&backup.body) {
                    Progression::Ongoing => Look::Ongoing(status(client, &backup.body).await),
                    Progression::Restorable | Progression::EndedBadly => Look::Ended(backup),
                })
            }
            Err(error) if !error.is_not_found() => Err(error.into()),
            Err(_) if unsure.is_some() && elapsed < CREATE_VISIBILITY_TIMEOUT => {
                Ok(Look::Ongoing("not there yet".to_owned().into()))
            }
            Err(_) => Err(match unsure.take() {
                Some(error) => BackupCommandError::NotStarted { id, error },
                None => BackupCommandError::Gone { id },
            }),
        };
        let backup =
            self.waiting.until_ended(|| ongoing(client, id), Progress::of(format!("backup {id}")), look).await?;
        print_end(id, backup, format)
    }
}

/// How far a backup is. Where that cannot be read, which parts there are is something, too.
async fn status(client: &Client, backup: &BackupView) -> Status {
    let id = BackupId::new(backup.backup_id);
    let figures = match id {
        Some(id) => client.progress(id).await.ok(),
        None => None,
    };
    figures.map_or_else(|| view::parts(backup).into(), |figures| Status::Figures(figures.body))
}

/// What becomes of a backup that is not waited for any more.
fn ongoing(client: &Client, id: BackupId) -> String {
    let get = client.command(&format!("get {id}"));
    if client.is_local() {
        let resume = client.command(&format!("create {id} --resume"));
        format!(
            "the search engine ends the part that it has begun, but part 2 of backup {id} is not begun any more unless a \
             server, or {resume}, does that within backup.resumeWindow after the end of part 1; {get} shows how it is"
        )
    } else {
        format!("backup {id} goes on: {get} shows how it is")
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
