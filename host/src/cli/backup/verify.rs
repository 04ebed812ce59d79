use std::time::Duration;

use backup_actuator::{CheckView, VerificationView};
use backup_core::BackupId;
use clap::Args;

use super::error::BackupCommandError;
use super::progress::Progress;
use super::view::{empty_table, finished};
use super::wait::{Look, WaitOptions, or_interrupted};
use crate::backups::Left;
use crate::cli::client::{Client, Received, one_line};
use crate::cli::output::{Format, note, print, terminal_width};

/// Restore a copy of a backup under scratch names, check it, and delete it.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The backup.
    #[arg(value_parser = super::backup_id)]
    id: BackupId,
    /// Only wait for the end of a verification that was begun, or show how the last one ended. Begins none.
    #[arg(long, conflicts_with_all = ["wait", "take_over"])]
    follow: bool,
    /// With --local: clear a verification that is in progress at once, because whoever did it is known to be gone.
    #[arg(long)]
    take_over: bool,
    #[command(flatten)]
    waiting: WaitOptions,
}

/// For so long the verification that was begun may not be seen.
const MAX_UNSEEN_TIME: Duration = Duration::from_secs(60);
/// How long clearing may take that nobody waits for any more.
const CLEARING_TIMEOUT: Duration = Duration::from_secs(60);
const IN_PROGRESS: &str = "verificationInProgress";

impl Verify {
    pub(super) async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        if self.follow {
            return self.wait(client, None, format).await;
        }
        if self.take_over && !client.is_local() {
            return Err(BackupCommandError::TakeOverElsewhere);
        }
        let waits = self.waiting.applies(client)?;
        let outcome = self.begin_and_wait(client, waits, format).await;
        if client.is_local() {
            // Also after a signal: whoever is in a hurry sends another.
            let clearing = tokio::time::timeout(CLEARING_TIMEOUT, client.stop_verification());
            let left = || "what the verification has made may be left; the next one clears it".to_owned();
            match or_interrupted(async { Ok(clearing.await.unwrap_or(Left::Something)) }, left).await? {
                Left::Something => note(&left()),
                Left::Nothing if is_stopped(&outcome) => note("what the verification has made is cleared"),
                Left::Nothing | Left::NotBegun => {}
            }
        }
        outcome
    }

    async fn begin_and_wait(&self, client: &Client, waits: bool, format: Format) -> Result<(), BackupCommandError> {
        let id = self.id;
        let interrupted = || {
            if client.is_local() {
                return stopped(id);
            }
            format!("the verification of backup {id} may have begun: {} tells", self.following(client))
        };
        let begun = or_interrupted(self.begin(client), interrupted).await?;
        if waits {
            return self.wait(client, Some(&begun.body.run_id), format).await;
        }
        Ok(match (format, terminal_width()) {
            (Format::Json, _) => print(&begun.json),
            (Format::Text, None) => print(&id.to_string()),
            (Format::Text, Some(_)) => {
                print(&format!("Backup {id} is being verified. {} waits for its end.", self.following(client)))
            }
        }?)
    }

    async fn begin(&self, client: &Client) -> Result<Received<backup_actuator::VerificationBegun>, BackupCommandError> {
        let id = self.id;
        if self.take_over {
            client.take_over_verification(true).await?;
        }
        match client.begin_verification(id).await {
            Err(error) if client.is_local() && error.has_code(IN_PROGRESS) => {
                note(&format!("{error}; looking for up to 90 seconds whether it is alive"));
                if client.take_over_verification(false).await? {
                    Ok(client.begin_verification(id).await?)
                } else {
                    Err(error.into())
                }
            }
            begun => Ok(begun?),
        }
    }

    /// `run_id` is the one to wait for, if it is known.
    async fn wait(&self, client: &Client, run_id: Option<&str>, format: Format) -> Result<(), BackupCommandError> {
        let id = self.id;
        let ongoing = || {
            if client.is_local() {
                return stopped(id);
            }
            format!("the verification goes on; {} waits for its end", self.following(client))
        };
        let mut unseen_since = None;
        let look = async |elapsed: Duration| {
            let found = client.verification(id).await?;
            let is_meant = run_id.is_none() || found.body.run_id.as_deref() == run_id;
            if found.body.state != "NONE" && is_meant {
                unseen_since = None;
                return Ok(match &*found.body.state {
                    "PASSED" | "FAILED" => Look::Ended(found),
                    _ => Look::Ongoing(standing(&found.body).into()),
                });
            }
            let unseen = elapsed.saturating_sub(*unseen_since.get_or_insert(elapsed));
            if run_id.is_none() || unseen >= MAX_UNSEEN_TIME {
                return Err(BackupCommandError::VerificationNotSeen { id });
            }
            Ok(Look::Ongoing("not seen at the moment".to_owned().into()))
        };
        let subject = Progress::of(format!("verifying backup {id}"));
        let waiting = if self.follow { &self.waiting.always() } else { &self.waiting };
        let end = waiting.until_ended(ongoing, subject, look).await?;
        print_end(id, &end, format)
    }

    /// The command that waits for the end.
    fn following(&self, client: &Client) -> String {
        client.command(&format!("verify {} --follow", self.id))
    }
}

fn stopped(id: BackupId) -> String {
    format!("the verification of backup {id} is stopped")
}

/// Whether it has not come to its end.
fn is_stopped(outcome: &Result<(), BackupCommandError>) -> bool {
    matches!(outcome, Err(BackupCommandError::Interrupted(_) | BackupCommandError::TimedOut { .. }))
}

fn standing(verification: &VerificationView) -> String {
    let decided = verification.checks.iter().filter(|check| check.outcome != "PENDING").count();
    let trouble = verification.next_step.as_deref().map(|text| format!(", {}", one_line(text))).unwrap_or_default();
    format!("{} %, {decided} of {} checks{trouble}", verification.percent, verification.checks.len())
}

fn print_end(
    id: BackupId,
    verification: &Received<VerificationView>,
    format: Format,
) -> Result<(), BackupCommandError> {
    let checks = &verification.body.checks;
    match (format, terminal_width()) {
        (Format::Json, _) => print(&verification.json),
        (Format::Text, None) => print(&lines(checks)),
        (Format::Text, Some(width)) => print(&table(checks, width)),
    }?;
    if verification.body.state == "PASSED" {
        return Ok(());
    }
    let reason = verification.body.failure_reason.as_deref().map(one_line).unwrap_or_default();
    Err(BackupCommandError::NotVerified { id, reason })
}

/// For scripts: name, outcome and what was found of each check, with tabs in between.
fn lines(checks: &[CheckView]) -> String {
    checks.iter().map(|check| cells(check).join("\t") + "\n").collect()
}

fn table(checks: &[CheckView], width: u16) -> String {
    let mut table = empty_table(width);
    table.set_header(["CHECK", "OUTCOME", "FOUND"]);
    for check in checks {
        table.add_row(cells(check));
    }
    finished(table)
}

fn cells(check: &CheckView) -> [String; 3] {
    [&check.name, &*check.outcome, &check.found].map(one_line)
}
