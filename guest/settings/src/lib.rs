//! What an operator can set, under the names that Optimize's operators already know.
//!
//! `defaults.yaml` is the one table of keys, environment variables and defaults. An operator's file lies
//! above it: block by block and key by key, the file counts where it has a value. Only then are the
//! placeholders in a value resolved, so a variable of Optimize's that nobody asks for need not be set, and
//! no character in a password can break the YAML. Everything is read once, at the start, into types that
//! need no further checks.

#![deny(missing_docs)]

mod connection;
mod error;
mod origin;
mod placeholder;
mod policy;
mod restore;
mod retention;
mod schedule;
mod section;
mod security;
mod spelling;
#[cfg(test)]
mod tests;
mod values;
mod yaml;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use backup_core::{EngineKind, IndexPrefix, OptimizeVersion, RepositoryName, RetentionRules};

pub use connection::{ApiKey, Authentication, Connection, Host, Limits, Node, Proxy, SecretFiles, Tls, Username};
pub use error::{InvalidValue, SettingsError};
pub use origin::Origin;
pub use policy::{CallLimits, PolicySettings};
pub use schedule::{Cron, InvalidCron, Schedule};
pub use security::{Caller, Role, ServerTls};
pub use spelling::{UnknownVariable, unknown_variables};
pub use values::{Secret, time_span};

use section::{Layer, Parsed, Reader, Section, settings};

const DEFAULTS: &str = include_str!("defaults.yaml");

/// What an operator can set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address that the API is served on, or a name of it.
    pub host: Host,
    /// The port of the API. 0: any free one.
    pub port: u16,
    /// How that port proves who it is. `None`: it speaks no TLS.
    pub tls: Option<ServerTls>,
    /// Who may call the API. None: whoever reaches it, but not everything.
    pub callers: Vec<Caller>,
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
    /// When backups are made without a request. `None`: never.
    pub schedule: Option<Schedule>,
    /// Which backups are deleted without a request.
    pub retention: RetentionRules,
    /// Where Optimize answers, if it runs. `None`: a restore does not ask.
    pub optimize_url: Option<String>,
    /// Which policy serves, and what it may use.
    pub policy: PolicySettings,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Where the values came from that are not the defaults, by key. It has no values.
    pub origins: BTreeMap<String, Origin>,
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

settings! {
    /// What is logged, and how.
    #[derive(Clone, Debug)]
    pub struct LogSettings(backup: &Section<'_>) {
        /// The form of a line.
        format: LogFormat =
            backup.required("logFormat", values::one_of([("text", LogFormat::Text), ("json", LogFormat::Json)])),
        /// What is logged, in the words of tracing's `EnvFilter`. Not checked here.
        filter: String = backup.required("logLevel", values::any),
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
        let read_file = |path: &Path| fs::read_to_string(path).map_err(|error| SettingsError::File(path.into(), error));
        let parse =
            |path: &Path, yaml: &str| yaml::parse_block(yaml).map_err(|error| SettingsError::Yaml(path.into(), error));
        let above = file.map(|path| parse(path, &read_file(path)?)).transpose()?;
        let defaults = parse(Path::new("defaults.yaml"), DEFAULTS)?;
        let reader = Reader::new(&environment);
        let settings = Self::read(&Section::root(&reader, Layer::all(above.as_ref(), &defaults)));
        let origins = reader.origins();
        match (settings, reader.into_errors()) {
            (Ok(settings), errors) if errors.is_empty() => Ok(Self { origins, ..settings }),
            (_, errors) => Err(SettingsError::Values(errors)),
        }
    }

    /// As [`Settings::load`], from the environment alone, for a component: its host makes the connections.
    ///
    /// # Errors
    /// Also if the variables ask for a connection of another kind than the host's.
    pub fn load_in_component(environment: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = Self::load(None, environment)?;
        let block = block_of(settings.engine);
        let refuse = |key| format!("{block}.{key}: the host of this component makes the connections: set it up there");
        let mut refused: Vec<String> = settings.connection.keys_for_own_connections().into_iter().map(refuse).collect();
        refused.extend(keys_for_a_server(&settings).map(|key| format!("{key}: {NOBODY_WAITS}")));
        if refused.is_empty() { Ok(settings) } else { Err(SettingsError::Values(refused)) }
    }

    fn read<'a>(root: &Section<'a>) -> Parsed<Self> {
        let known = |section: Section<'a>| {
            section.refuse_unknown();
            section
        };
        let [backup, policy, optimize] = ["backup", "policy", "optimize"].map(|name| known(root.section(name)));
        let security = root.section("security");
        security.refuse_unknown_values();
        let management = known(root.section("management").section("server"));
        let container = root.section("container");
        let host = container.required("host", Host::parse);
        let address = management.optional("address", Host::parse);
        let tls = ServerTls::of(&known(management.section("ssl")));
        let callers = Caller::all(&security);
        let port = container.section("ports").required("actuator", values::number(0..=u16::MAX));
        let optimize_version = optimize.required("version", values::optimize_version);
        let call_timeout = backup.required("callTimeout", values::duration);
        let policy = PolicySettings::read(&policy, call_timeout);
        let log = LogSettings::read(&backup);
        let complete_states = [("COMPLETE", CompleteState::Complete), ("COMPLETED", CompleteState::Completed)];
        let complete_state = backup.required("completeState", values::one_of(complete_states));
        let resume_window = backup.required("resumeWindow", values::duration);
        let schedule = schedule::read(&backup.section("schedule"));
        let retention = retention::read(&backup.section("retention"));
        let optimize_url = restore::read(&backup.section("restore"));
        // What follows depends on the engine. All errors that do not are reported by now.
        let engines = [("elasticsearch", EngineKind::Elasticsearch), ("opensearch", EngineKind::OpenSearch)];
        let engine = backup.required("database", values::one_of(engines))?;
        let database = root.section(block_of(engine));
        let repository = repository(&backup, &database);
        let connection = Connection::of(&database);
        let limits = Limits::read(&database.section("connection"), &backup, call_timeout);
        let index_prefix = database.section("settings").section("index").required("prefix", IndexPrefix::parse);
        Ok(Self {
            host: address?.unwrap_or(host?),
            port: port?,
            tls: tls?,
            callers: callers?,
            engine,
            connection: connection?,
            limits: limits?,
            repository: repository?,
            index_prefix: index_prefix?,
            optimize_version: optimize_version?,
            complete_state: complete_state?,
            resume_window: resume_window?,
            schedule: schedule?,
            retention: retention?,
            optimize_url: optimize_url?,
            policy: policy?,
            log: log?,
            origins: BTreeMap::new(),
        })
    }
}

/// A component lives as long as a request.
const NOBODY_WAITS: &str =
    "this component does only what it is asked for: let something else send a POST or a DELETE at that time";

/// What is set that only a server can do, which runs between requests.
fn keys_for_a_server(settings: &Settings) -> impl Iterator<Item = &'static str> {
    let schedule = settings.schedule.is_some().then_some("backup.schedule.cron");
    let retention = (!settings.retention.is_empty()).then_some("backup.retention");
    let restore = settings.optimize_url.is_some().then_some("backup.restore.optimizeUrl");
    schedule.into_iter().chain(retention).chain(restore)
}

/// The block of a search engine.
fn block_of(engine: EngineKind) -> &'static str {
    match engine {
        EngineKind::Elasticsearch => "es",
        EngineKind::OpenSearch => "opensearch",
    }
}

/// Our own key, or the one that Optimize has in the block of its search engine.
fn repository(backup: &Section<'_>, database: &Section<'_>) -> Parsed<Option<RepositoryName>> {
    match backup.optional("repositoryName", RepositoryName::parse)? {
        Some(name) => Ok(Some(name)),
        None => database.section("backup").optional("repositoryName", RepositoryName::parse),
    }
}
