//! Waiting for the end of what the server does.

use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::error::BackupCommandError;
use super::progress::{Progress, Status};
use crate::cli::client::Client;
use crate::cli::interrupt;
use crate::settings::time_span;

#[derive(Debug, Args)]
pub(super) struct WaitOptions {
    /// Wait for its end. The exit status tells what came of it.
    #[arg(long)]
    pub(super) wait: bool,
    /// How long to wait at most, such as 90s, 30m or 6h, which is the default. What was begun goes on.
    #[arg(long, value_name = "TIME", value_parser = timeout)]
    timeout: Option<Duration>,
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);
/// For so long a server may answer with errors alone. After the default of `backup.resumeWindow` nobody resumes a backup.
const MAX_ERRORS_TIME: Duration = Duration::from_secs(10 * 60);

/// What was found when it was looked.
pub(super) enum Look<T> {
    /// It has ended.
    Ended(T),
    /// It has not, and is at this.
    Ongoing(Status),
}

/// A time on the command line.
pub(super) fn timeout(text: &str) -> Result<Duration, &'static str> {
    time_span(text, SignedDuration::from_hours(8760)).ok_or("write a time such as 90s, 30m, 6h or 1h 30m")
}

impl WaitOptions {
    /// For a command that always waits.
    pub(super) fn following(timeout: Option<Duration>) -> Self {
        Self { wait: true, timeout }
    }

    /// The same, always waiting.
    pub(super) fn always(&self) -> Self {
        Self::following(self.timeout)
    }

    /// Whether to wait. What is done in this process ends with it, so that this is always waited for.
    pub(super) fn applies(&self, client: &Client) -> Result<bool, BackupCommandError> {
        let applies = self.wait || client.is_local();
        if self.timeout.is_some() && !applies { Err(BackupCommandError::TimeoutAlone) } else { Ok(applies) }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(DEFAULT_TIMEOUT)
    }

    /// Looks again and again until it has ended, also while the server does not answer. `ongoing` is what to tell if this
    /// ends before that.
    pub(super) async fn until_ended<T>(
        &self,
        ongoing: impl Fn() -> String,
        mut progress: Progress,
        look: impl AsyncFnMut(Duration) -> Result<Look<T>, BackupCommandError>,
    ) -> Result<T, BackupCommandError> {
        let waiting = async {
            tokio::time::timeout(self.timeout(), poll(&mut progress, look)).await.unwrap_or_else(|_elapsed| {
                let after = format!("{:#}", SignedDuration::try_from(self.timeout()).unwrap_or_default());
                Err(BackupCommandError::TimedOut { after, ongoing: ongoing() })
            })
        };
        or_interrupted(waiting, &ongoing).await
    }
}

async fn poll<T>(
    progress: &mut Progress,
    mut look: impl AsyncFnMut(Duration) -> Result<Look<T>, BackupCommandError>,
) -> Result<T, BackupCommandError> {
    let started = Instant::now();
    let mut errors_since: Option<Instant> = None;
    loop {
        let looked = look(started.elapsed()).await;
        let is_error = matches!(&looked, Err(BackupCommandError::Client(error)) if error.is_answered());
        errors_since = is_error.then(|| errors_since.unwrap_or_else(Instant::now));
        let is_lasting = errors_since.is_some_and(|since| since.elapsed() >= MAX_ERRORS_TIME);
        match looked {
            Ok(Look::Ended(end)) => return Ok(end),
            Ok(Look::Ongoing(status)) => progress.show(&status),
            Err(BackupCommandError::Client(error)) if is_lasting => {
                return Err(BackupCommandError::LastingError { minutes: MAX_ERRORS_TIME.as_secs() / 60, error });
            }
            Err(BackupCommandError::Client(error)) if error.can_pass() => {
                progress.show(&format!("still waiting: {error}").into());
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(pause(started.elapsed())).await;
    }
}

/// What has taken long is asked for seldom.
fn pause(elapsed: Duration) -> Duration {
    const MIN: Duration = Duration::from_millis(500);
    const MAX: Duration = Duration::from_secs(10);
    (elapsed / 10).clamp(MIN, MAX)
}

/// Does something until Ctrl-C or SIGTERM. `consequence` is what is to be told then.
pub(super) async fn or_interrupted<T>(
    work: impl Future<Output = Result<T, BackupCommandError>>,
    consequence: impl Fn() -> String,
) -> Result<T, BackupCommandError> {
    interrupt::or_interrupted(work, consequence).await?
}

#[cfg(test)]
mod tests;
