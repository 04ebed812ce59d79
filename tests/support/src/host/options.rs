//! How a host is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use anyhow::Result;

use super::Host;
use crate::journal::{Journal, Subject};

const LOG_FORMAT: &str = "CAMUNDA_OPTIMIZE_BACKUP_LOG_FORMAT";

/// How a host is started: with these settings and no others.
#[derive(Debug, Clone)]
pub struct HostOptions {
    pub(super) program: Program,
    pub(super) environment: Vec<(String, String)>,
    /// What leads past a proxy, and to the engine itself.
    past_proxy: Vec<(String, String)>,
    pub(super) config: Option<String>,
    pub(super) log: Option<PathBuf>,
    pub(super) token: Option<String>,
}

/// What serves the API.
#[derive(Debug, Clone)]
pub(super) enum Program {
    /// The host of this project.
    Binary(PathBuf),
    /// Another host with the same settings in its environment, and what records the requests to it.
    Other(Serve, Option<Journal>),
}

/// Starts a host that is not the one of this project, with these variables.
pub type Serve = fn(Vec<(String, String)>) -> Pin<Box<dyn Future<Output = Result<Host>>>>;

impl HostOptions {
    /// A host that is not the one of this project.
    #[must_use]
    pub fn of_other(serve: Serve, journal: Journal) -> Self {
        Self::of(Program::Other(serve, Some(journal)))
    }

    /// A host of this binary, on a free port and with a log for machines.
    #[must_use]
    pub fn new(binary: PathBuf) -> Self {
        Self::of(Program::Binary(binary)).env("CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR", "0").env(LOG_FORMAT, "json")
    }

    /// Keeps the requests to it out of the journal.
    #[must_use]
    pub fn not_recorded(mut self) -> Self {
        if let Program::Other(_, journal) = &mut self.program
            && let Some(journal) = journal.take()
        {
            journal.leave_out();
        }
        self
    }

    fn of(program: Program) -> Self {
        Self { program, environment: Vec::new(), past_proxy: Vec::new(), config: None, log: None, token: None }
    }

    /// Sets a variable that leads to a proxy, and says what it would be without the proxy.
    #[must_use]
    pub fn proxy(mut self, name: &str, value: &str, without: &str) -> Self {
        self.past_proxy.push((name.to_owned(), without.to_owned()));
        self.env(name, value)
    }

    /// Sets an environment variable; the last one of a name counts.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives it one caller, an admin with this token, who sends all requests of the [`Host`].
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Gives it a settings file with this text.
    #[must_use]
    pub fn config(mut self, yaml: &str) -> Self {
        self.config = Some(yaml.to_owned());
        self
    }

    /// Writes the log to a file that stays, for people to read.
    #[must_use]
    pub fn log_to(mut self, file: &Path) -> Self {
        self.log = Some(file.to_owned());
        self.env(LOG_FORMAT, "text")
    }

    /// Its settings, for a command that works with them in its own process.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        self.last_values()
    }

    /// The last value of each variable.
    pub(super) fn last_values(&self) -> Vec<(String, String)> {
        last_of_each(&self.environment)
    }

    pub(super) fn subject(&self) -> Subject {
        let environment = [self.environment.as_slice(), &self.past_proxy].concat();
        Subject { environment: last_of_each(&environment), behind_proxy: !self.past_proxy.is_empty() }
    }
}

fn last_of_each(environment: &[(String, String)]) -> Vec<(String, String)> {
    environment.iter().cloned().collect::<BTreeMap<_, _>>().into_iter().collect()
}
