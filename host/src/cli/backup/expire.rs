use std::io::{self, IsTerminal};

use backup_actuator::{ExpiredView, RetentionView};
use clap::Args;

use super::confirm::confirm;
use super::error::BackupCommandError;
use super::wait::or_interrupted;
use crate::backups::Passed;
use crate::cli::client::{Client, Received, one_line};
use crate::cli::output::{Format, note, print};

#[derive(Debug, Args)]
pub(super) struct Expire {
    /// Show what would be deleted, and why; delete nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask. Where there is no terminal, nothing is deleted without it.
    #[arg(long)]
    yes: bool,
}

impl Expire {
    pub(super) async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        let somebody_is_there = io::stdin().is_terminal() && io::stderr().is_terminal();
        if !self.dry_run && !self.yes && !somebody_is_there {
            return Err(BackupCommandError::ExpiryNeedsYes);
        }
        let untouched = || "nothing was deleted".to_owned();
        let plan = or_interrupted(async { Ok(client.expire(true).await?) }, untouched).await?;
        if self.dry_run {
            return show(&plan, format);
        }
        if let Some(reason) = &plan.body.suspended {
            return Err(BackupCommandError::ExpirySuspended(one_line(reason)));
        }
        if plan.body.expired.is_empty() {
            return show(&plan, format);
        }
        let shown: Vec<u64> = plan.body.expired.iter().map(|expired| expired.backup_id).collect();
        let confirmed = self.yes
            || or_interrupted(confirm(question(&plan.body.expired)), untouched).await.inspect_err(|_| note(""))?;
        if !confirmed {
            return Err(BackupCommandError::ExpiryDeclined);
        }
        let submitted = async { Ok((client.expire(false).await?, client.expire_here(&shown).await?)) };
        let (mut answer, passed) = or_interrupted(submitted, || "what expires may be being deleted".to_owned()).await?;
        let Some(Passed { suspended, deleted, left }) = passed else { return show(&answer, format) };
        answer.body.expired.retain(|expired| deleted.iter().any(|deleted| deleted.backup_id == expired.backup_id));
        let left = left.into_iter().map(|(id, reason)| format!("{id}: {}", one_line(&reason)));
        let reasons: Vec<String> = left.chain(suspended.as_deref().map(one_line)).collect();
        if reasons.is_empty() || !answer.body.expired.is_empty() {
            show(&answer, format)?;
        }
        if reasons.is_empty() { Ok(()) } else { Err(BackupCommandError::NotAllExpired(reasons.join("; "))) }
    }
}

fn question(expired: &[ExpiredView]) -> String {
    let lines: String = expired.iter().map(|expired| format!("{}\n", line(expired))).collect();
    format!("{lines}Delete these backups? It cannot be undone. [y/N] ")
}

/// A line for each backup, the first to go first.
fn show(answer: &Received<RetentionView>, format: Format) -> Result<(), BackupCommandError> {
    if let Format::Json = format {
        return Ok(print(&answer.json)?);
    }
    let view = &answer.body;
    if let Some(reason) = &view.suspended {
        note(&format!("nothing expires for the time being: {}", one_line(reason)));
    } else if view.expired.is_empty() {
        note(if view.rules == Default::default() { "no rules are set (backup.retention)" } else { "nothing expires" });
    }
    let lines: Vec<String> = view.expired.iter().map(line).collect();
    Ok(print(&lines.join("\n"))?)
}

fn line(expired: &ExpiredView) -> String {
    format!("{}\t{}", expired.backup_id, one_line(&expired.reason))
}
