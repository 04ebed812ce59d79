//! `optimize-backup doctor`: looks at everything that a backup needs, in this process, and says what to do.

mod engine;
mod host;
mod indices;
mod privileges;
mod report;
mod repository;
mod settings;
#[cfg(test)]
mod tests;
mod view;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use backup_core::EngineKind;
use clap::Args;

use self::engine::Reached;
use self::host::Machine;
use self::report::Check;
use super::engine::EngineAccess;
use super::exit::ExitStatus;
use super::interrupt::{Interrupted, or_interrupted};
use super::log;
use super::output::{Format, PrintError};
use crate::settings::Settings;

/// An engine that takes longer hangs.
const FIRST_ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// What only the engine can tell, in the order in which it is asked.
const OF_THE_ENGINE: [&str; 8] =
    ["user", "privileges", "repository", "storage", "backups", "indices", "version", "clock"];
const EXIT_STATUS: &str = "Exit status: 0 backups can be made; 1 a fault was found; 5 settings, repository or privileges are \
    wrong; 130 interrupted.";

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct DoctorCommand {
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
    /// The settings, as for `serve`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum DoctorError {
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error(transparent)]
    Print(#[from] PrintError),
    #[error("the operating system refused: {0}")]
    Io(#[from] io::Error),
}

impl DoctorError {
    pub(super) fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Interrupted(_) => ExitStatus::Interrupted,
            Self::Print(_) | Self::Io(_) => ExitStatus::EndedBadly,
        }
    }
}

impl DoctorCommand {
    pub(super) fn run(self) -> Result<ExitStatus, DoctorError> {
        log::warnings_to_standard_error();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (settings, check) = settings::load(self.config.as_deref());
        let checks = async {
            let mut checks = vec![check];
            match &settings {
                Some(settings) => checks.extend(examine(settings).await),
                None => {
                    let rest = ["engine"].into_iter().chain(OF_THE_ENGINE).chain(["policy", "port"]);
                    checks.extend(rest.map(|name| Check::not_checked(name, "the settings cannot be used")));
                }
            }
            checks
        };
        let checks = runtime.block_on(or_interrupted(checks, || "nothing was changed".to_owned()));
        // An operation of the rules may still wait for the engine.
        runtime.shutdown_background();
        let checks = checks?;
        view::print_report(&checks, settings.as_ref(), self.output)?;
        Ok(report::exit_status(&checks))
    }
}

/// What the checks work with.
struct Doctor<'a> {
    access: EngineAccess,
    settings: &'a Settings,
}

async fn examine(settings: &Settings) -> Vec<Check> {
    let mut checks = match EngineAccess::new(settings) {
        Ok(access) => Doctor { access, settings }.engine().await,
        Err(error) => vec![Check::refused("engine", error.to_string())],
    };
    let reached: Vec<&str> = checks.iter().map(|check| check.name).collect();
    let because = "the search engine cannot be asked";
    let left = OF_THE_ENGINE.into_iter().filter(|name| !reached.contains(name));
    let left: Vec<Check> = left.map(|name| Check::not_checked(name, because)).collect();
    checks.extend(left);
    let machine = Machine { settings };
    checks.extend([machine.policy().await, machine.port().await]);
    checks
}

impl Doctor<'_> {
    /// All checks that the engine lets be made.
    async fn engine(&self) -> Vec<Check> {
        let (check, reached) = self.reach().await;
        let mut checks = vec![check];
        match reached {
            Reached::No => return checks,
            Reached::NotLetIn(refusal) => {
                checks.push(self.not_let_in(&refusal));
                return checks;
            }
            Reached::Yes => {}
        }
        let (user, security) = self.user().await;
        checks.extend([user, self.privileges(security).await]);
        checks.extend(self.repository().await);
        checks.extend([self.indices().await, self.version().await, self.clock().await]);
        checks
    }

    /// The block of the settings with the search engine's.
    fn block(&self) -> &'static str {
        match self.settings.engine {
            EngineKind::Elasticsearch => "es",
            EngineKind::OpenSearch => "opensearch",
        }
    }
}
