//! What an operator can set, under the names that Optimize's operators already know.
//!
//! `defaults.yaml` is the one table of keys, environment variables and defaults. An operator's file lies
//! above it: block by block and key by key, the file counts where it has a value. Only then are the
//! placeholders in a value resolved, so a variable of Optimize's that nobody asks for need not be set, and
//! no character in a password can break the YAML. Everything is read once, at the start, into types that
//! need no further checks.

mod authentication;
mod connection;
mod error;
mod list;
mod placeholder;
mod policy;
mod secret;
mod section;
#[cfg(test)]
mod tests;
mod values;
mod yaml;

use std::fs;
use std::path::Path;
use std::time::Duration;

use backup_core::{EngineKind, IndexPrefix, OptimizeVersion, RepositoryName};

pub use authentication::Authentication;
pub use connection::{Connection, Limits, Node};
pub use error::{Fault, Problem, Setting, SettingsError, YamlFault};
pub use policy::{PolicyCallSettings, PolicySettings};
pub use secret::Secret;
pub use values::time_span;

use section::{Read, Reading, Section};
use values::Unfit;
use yaml::Entries;

const DEFAULTS: &str = include_str!("defaults.yaml");

/// What an operator can set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The port of the API. 0: any free one.
    pub port: u16,
    /// The kind of database that Optimize uses.
    pub engine: EngineKind,
    /// Where that database is and how to be let in.
    pub connection: Connection,
    /// What one call of it may take.
    pub limits: Limits,
    /// The snapshot repository. `None`: every call is refused.
    pub repository: Option<RepositoryName>,
    /// What the names of all Optimize's indices start with.
    pub index_prefix: IndexPrefix,
    /// The version for snapshot names. `None`: the one in Optimize's metadata index.
    pub optimize_version: Option<OptimizeVersion>,
    /// The word for a backup that can be restored.
    pub complete_state: CompleteState,
    /// How long after the end of part 1 part 2 may still be started or tried again.
    pub resume_window: Duration,
    /// Which policy serves, and what it may use.
    pub policy: PolicySettings,
    /// What is logged, and how.
    pub log: LogSettings,
}

/// The word for a backup that can be restored. Camunda's page on the API has one, its procedure and
/// implementation the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompleteState {
    /// `COMPLETE`
    Complete,
    /// `COMPLETED`
    Completed,
}

impl CompleteState {
    fn parse(text: &str) -> Result<Self, Unfit> {
        values::one_of([("COMPLETE", Self::Complete), ("COMPLETED", Self::Completed)])(text)
    }
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// The form of a line.
    pub format: LogFormat,
    /// What is logged, in the words of tracing's `EnvFilter`. Not checked here.
    pub filter: String,
}

impl LogSettings {
    fn read(backup: &Section<'_>) -> Read<Self> {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        let format = backup.required("logFormat", values::one_of(formats));
        let filter = backup.required("logLevel", values::text);
        Ok(Self { format: format?, filter: filter? })
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl Settings {
    /// Reads the settings from the operator's file, if there is one, the environment and the defaults.
    ///
    /// # Errors
    /// If the file cannot be read or is not YAML; otherwise all values that cannot be used.
    pub fn load(file: Option<&Path>, environment: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let above = file.map(read_file).transpose()?;
        let defaults = parse(Path::new("defaults.yaml"), DEFAULTS)?;
        let reading = Reading::new(&environment);
        let layers = above.iter().chain([&defaults]).collect();
        let settings = Self::read(&Section::new(&reading, String::new(), layers));
        match (settings, reading.into_faults()) {
            (Ok(settings), faults) if faults.is_empty() => Ok(settings),
            (_, faults) => Err(SettingsError::Faults(faults)),
        }
    }

    fn read(root: &Section<'_>) -> Read<Self> {
        let [backup, policy, optimize] = ["backup", "policy", "optimize"].map(|name| {
            let ours = root.section(name);
            ours.refuse_unknown();
            ours
        });
        let ports = root.section("container").section("ports");
        let port = ports.required("actuator", values::number(0..=u16::MAX));
        let optimize_version = optimize.required("version", values::optimize_version);
        let policy = PolicySettings::read(&policy);
        let log = LogSettings::read(&backup);
        let complete_state = backup.required("completeState", CompleteState::parse);
        let resume_window = backup.required("resumeWindow", values::duration);
        // What follows depends on the database. All faults that do not are noted by now.
        let engine = backup.required("database", engine)?;
        let database = root.section(block_of(engine));
        let repository = repository(&backup, &database);
        let connection = Connection::read(&database);
        let limits = Limits::read(&database, &backup);
        let index = database.section("settings").section("index");
        let index_prefix = index.required("prefix", IndexPrefix::parse);
        Ok(Self {
            port: port?,
            engine,
            connection: connection?,
            limits: limits?,
            repository: repository?,
            index_prefix: index_prefix?,
            optimize_version: optimize_version?,
            complete_state: complete_state?,
            resume_window: resume_window?,
            policy: policy?,
            log: log?,
        })
    }
}

fn engine(text: &str) -> Result<EngineKind, Unfit> {
    let kinds = [("elasticsearch", EngineKind::Elasticsearch), ("opensearch", EngineKind::OpenSearch)];
    values::one_of(kinds)(text)
}

/// The name of the block that describes a database.
fn block_of(engine: EngineKind) -> &'static str {
    match engine {
        EngineKind::Elasticsearch => "es",
        EngineKind::OpenSearch => "opensearch",
    }
}

/// Our own key, or the one that Optimize has in the block of its database.
fn repository(backup: &Section<'_>, database: &Section<'_>) -> Read<Option<RepositoryName>> {
    match backup.optional("repositoryName", RepositoryName::parse)? {
        Some(name) => Ok(Some(name)),
        None => database.section("backup").optional("repositoryName", RepositoryName::parse),
    }
}

fn read_file(path: &Path) -> Result<Entries, SettingsError> {
    match fs::read_to_string(path) {
        Ok(yaml) => parse(path, &yaml),
        Err(reason) => Err(SettingsError::File { path: path.to_owned(), reason }),
    }
}

fn parse(path: &Path, yaml: &str) -> Result<Entries, SettingsError> {
    yaml::parse_block(yaml).map_err(|fault| SettingsError::Yaml { path: path.to_owned(), fault })
}
