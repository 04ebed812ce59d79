use std::time::Duration;

use backup_actuator::ProgressView;
use backup_core::BackupId;
use clap::Args;

use super::error::BackupCommandError;
use super::progress::{Progress, Status};
use super::view::{self, Progression};
use super::wait::{Look, WaitOptions, or_interrupted, timeout};
use crate::cli::client::{Client, Received, one_line};
use crate::cli::output::Format;

#[derive(Debug, Args)]
pub(super) struct Follow {
    /// The backup.
    #[arg(value_parser = super::backup_id)]
    id: BackupId,
    /// Go on until it has ended. The exit status tells what came of it.
    #[arg(long)]
    follow: bool,
    /// How long to follow it at most, such as 90s, 30m or 6h, which is the default. The backup goes on.
    #[arg(long, value_name = "TIME", value_parser = timeout, requires = "follow")]
    timeout: Option<Duration>,
}

impl Follow {
    pub(super) async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        if self.follow {
            return self.to_the_end(client, format).await;
        }
        let shown = async { Ok(client.progress(self.id).await?) };
        let progress = or_interrupted(shown, || "nothing was changed".to_owned()).await?;
        Ok(view::print_progress(&progress, format)?)
    }

    async fn to_the_end(&self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        let id = self.id;
        let ongoing = || format!("backup {id} goes on: {} shows how it is", client.command(&format!("progress {id}")));
        let look = async |_| {
            let progress = client.progress(id).await?;
            Ok(match view::progression_of(&progress.body.state) {
                Progression::Ongoing => Look::Ongoing(Status::Figures(progress.body)),
                Progression::Restorable | Progression::EndedBadly => Look::Ended(progress),
            })
        };
        let waiting = WaitOptions::following(self.timeout);
        let end = waiting.until_ended(ongoing, Progress::of(format!("backup {id}")), look).await?;
        view::print_progress(&end, format)?;
        match view::progression_of(&end.body.state) {
            Progression::Restorable => Ok(()),
            Progression::Ongoing | Progression::EndedBadly => Err(self.cannot_be_restored(client, end).await),
        }
    }

    /// The figures do not say why.
    async fn cannot_be_restored(&self, client: &Client, end: Received<ProgressView>) -> BackupCommandError {
        let reason = client.get(self.id).await.ok().and_then(|backup| backup.body.failure_reason);
        let reason = reason.map(|reason| one_line(&reason));
        BackupCommandError::CannotBeRestored { id: self.id, state: one_line(&end.body.state), reason }
    }
}
