use std::io::{self, IsTerminal};
use std::time::Duration;

use backup_actuator::{FindingView, RestorePlanView, RestoreView};
use backup_core::BackupId;
use clap::Args;

use super::confirm::confirm;
use super::error::BackupCommandError;
use super::progress::Progress;
use super::wait::{Look, WaitOptions, or_interrupted};
use crate::cli::client::{Client, Received, RestoreOptions, one_line};
use crate::cli::output::{Format, note, print, terminal_width};

/// Restore a backup in place of what is there, or beside it.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup.
    #[arg(value_parser = super::backup_id)]
    id: BackupId,
    /// Only tell what it would do, and what speaks against it.
    #[arg(long, conflicts_with_all = ["yes", "wait", "timeout"])]
    dry_run: bool,
    /// Only wait for the end of a restore that was begun. Begins none.
    #[arg(long, conflicts_with_all = ["dry_run", "overridden", "yes", "wait"])]
    follow: bool,
    /// Restore under this index prefix, beside the installation: nothing is deleted.
    #[arg(long, value_name = "NEW")]
    rename_prefix: Option<String>,
    /// A blocking finding that is not to stop the restore, by its code. Can be given more than once.
    #[arg(long = "override", value_name = "CODE")]
    overridden: Vec<String>,
    /// Do not ask. Where there is no terminal, nothing is restored without it.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    waiting: WaitOptions,
}

/// The finding that takes the server a second look, some time later.
const OPTIMIZE_IS_WRITING: &str = "optimizeIsWriting";
/// For so long there may be no trace of a restore: before its first deletion the server reads a part's metadata.
const MAX_NONE_TIME: Duration = Duration::from_secs(120);

impl Restore {
    pub(super) async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        let id = self.id;
        if self.follow {
            return self.wait(client, format).await;
        }
        let options = RestoreOptions { rename_prefix: self.rename_prefix.clone(), overridden: self.overridden.clone() };
        if self.dry_run {
            let plan = or_interrupted(async { Ok(client.plan_restore(id, &options).await?) }, || untouched(id)).await?;
            print_plan(&plan, format)?;
            return if plan.body.can_begin { Ok(()) } else { Err(BackupCommandError::RestoreBlocked { id }) };
        }
        let waits = self.waiting.applies(client)?;
        let prefix = self.ask(client, &options).await?;
        let begun = async { Ok(client.begin_restore(id, &options, &prefix).await?) };
        let message = or_interrupted(begun, || format!("the restore of backup {id} may have begun")).await?;
        if !waits {
            return self.print_begun(client, &message.json, format);
        }
        self.wait(client, format).await
    }

    /// Shows what is about to happen, and asks whether it is meant; the installation's index prefix.
    async fn ask(&self, client: &Client, options: &RestoreOptions) -> Result<String, BackupCommandError> {
        let id = self.id;
        let somebody_is_there = io::stdin().is_terminal() && io::stderr().is_terminal();
        if !self.yes && !somebody_is_there {
            return Err(BackupCommandError::RestoreYesMissing { id });
        }
        // The server looks for writers once the restore is asked for.
        let mut first = options.clone();
        first.overridden.push(OPTIMIZE_IS_WRITING.to_owned());
        let plan = or_interrupted(async { Ok(client.plan_restore(id, &first).await?) }, || untouched(id)).await?.body;
        let of_writing = |finding: &&FindingView| finding.code == OPTIMIZE_IS_WRITING;
        plan.findings.iter().filter(|finding| !of_writing(finding)).for_each(|finding| note(&told(finding)));
        if !plan.can_begin {
            return Err(BackupCommandError::RestoreBlocked { id });
        }
        if !self.yes {
            let question = format!("{} [y/N] ", summary(&plan));
            let asked = or_interrupted(confirm(question), || untouched(id)).await.inspect_err(|_| note(""))?;
            if !asked {
                return Err(BackupCommandError::RestoreDeclined { id });
            }
        }
        Ok(plan.index_prefix)
    }

    async fn wait(&self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        let id = self.id;
        let (follow, again) = (self.following(client), self.again(client));
        let ongoing = || {
            if client.is_local() {
                return format!("the restore is cut off; {again} takes it up");
            }
            format!("the restore goes on; {follow} waits for its end, and if the server has gone, {again} takes it up")
        };
        let mut none_since = None;
        let look = async |elapsed: Duration| {
            let restore = client.restore(id, self.rename_prefix.as_deref()).await?;
            if restore.body.state != "NONE" {
                none_since = None;
            } else if elapsed.saturating_sub(*none_since.get_or_insert(elapsed)) >= MAX_NONE_TIME {
                return Err(BackupCommandError::RestoreNotSeen { id, again: again.clone() });
            }
            Ok(match &*restore.body.state {
                "COMPLETE" | "FAILED" => Look::Ended(restore),
                _ => Look::Ongoing(standing(&restore.body).into()),
            })
        };
        let subject = Progress::of(format!("restoring backup {id}"));
        let restore = self.waiting.until_ended(ongoing, subject, look).await?;
        print_end(id, &restore, format)
    }

    /// The command that waits for the end, whatever has become of it.
    fn following(&self, client: &Client) -> String {
        client.command(&format!("restore {}{} --follow", self.id, self.to_prefix()))
    }

    /// The command that takes this restore up, and asks before.
    fn again(&self, client: &Client) -> String {
        let overridden: String = self.overridden.iter().map(|code| format!(" --override {}", one_line(code))).collect();
        client.command(&format!("restore {}{}{overridden}", self.id, self.to_prefix()))
    }

    fn to_prefix(&self) -> String {
        self.rename_prefix.as_deref().map(|prefix| format!(" --rename-prefix {}", one_line(prefix))).unwrap_or_default()
    }

    fn print_begun(&self, client: &Client, json: &str, format: Format) -> Result<(), BackupCommandError> {
        let id = self.id;
        Ok(match (format, terminal_width()) {
            (Format::Json, _) => print(json),
            (Format::Text, None) => print(&id.to_string()),
            (Format::Text, Some(_)) => {
                print(&format!("Backup {id} is being restored. {} waits for its end.", self.following(client)))
            }
        }?)
    }
}

fn untouched(id: BackupId) -> String {
    format!("backup {id} was not restored, and nothing was changed")
}

fn summary(plan: &RestorePlanView) -> String {
    let count = |action: &str| plan.indices.iter().filter(|index| index.action == action).count();
    let version = plan.optimize_version.as_deref().unwrap_or("unknown");
    format!(
        "Restore backup {} of Optimize {version}: delete and replace {} indices of '{}', and restore {} that are missing? It cannot be undone.",
        plan.backup_id,
        count("replaced"),
        plan.index_prefix,
        count("restored"),
    )
}

fn told(finding: &FindingView) -> String {
    let overridden = if finding.overridden { ", overridden" } else { "" };
    format!("{} ({}{overridden}): {}", finding.severity, one_line(&finding.code), one_line(&finding.message))
}

fn print_plan(plan: &Received<RestorePlanView>, format: Format) -> Result<(), BackupCommandError> {
    if format == Format::Json {
        return Ok(print(&plan.json)?);
    }
    let mut lines: Vec<String> = plan.body.findings.iter().map(told).collect();
    for index in &plan.body.indices {
        let part = index.part.map_or_else(|| "-".to_owned(), |part| part.to_string());
        let size = index.size_in_bytes.map_or_else(|| "-".to_owned(), |size| size.to_string());
        lines.push([&*index.action, &part, &size, &one_line(&index.target)].join("\t"));
    }
    if terminal_width().is_some() {
        lines.push(format!(
            "Afterwards start Optimize {}.",
            plan.body.optimize_version.as_deref().map_or_else(|| "of the backup's version".to_owned(), one_line)
        ));
    }
    Ok(print(&lines.join("\n"))?)
}

fn standing(restore: &RestoreView) -> String {
    let restored = restore.indices.iter().filter(|index| index.state == "RESTORED").count();
    let trouble = restore.next_step.as_deref().map(|text| format!(", {}", one_line(text))).unwrap_or_default();
    format!("{} %, {restored} of {} indices{trouble}", restore.percent, restore.indices.len())
}

fn print_end(id: BackupId, restore: &Received<RestoreView>, format: Format) -> Result<(), BackupCommandError> {
    let next = restore.body.next_step.as_deref().map(one_line).unwrap_or_default();
    if restore.body.state != "COMPLETE" {
        if format == Format::Json {
            print(&restore.json)?;
        }
        let reason = restore.body.failure_reason.as_deref().map(one_line).unwrap_or_default();
        return Err(BackupCommandError::NotRestored { id, reason, next });
    }
    Ok(match format {
        Format::Json => print(&restore.json),
        Format::Text => print(&format!("Backup {id} is restored. Next: {next}.")),
    }?)
}
