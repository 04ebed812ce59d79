//! What the demo needs: an engine with an Optimize installation, a repository, and a host.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::installation::{Installation, create_neighbours};
use backup_test_support::repository::{Repository, RepositoryOptions};

use super::steps::{announced, step};
use crate::build_messages;

const PREFIX: &str = "optimize";
const REPOSITORY: &str = "backups";

/// Of each process and decision.
const INSTANCES: usize = 1_000;

/// Fill that does not compress, and a slow repository: so that there is some progress to see.
const IMPORT_FILL: usize = 512 << 10;
const INSTANCES_FILL: usize = 1 << 20;
const SLOW: RepositoryOptions = RepositoryOptions { bytes_per_second: Some(1 << 20), readonly: false };

/// Everything that the demo starts. It ends with this value.
pub(super) struct Fixture {
    // In this order: the host goes before its engine.
    pub(super) host: Host,
    pub(super) engine: Engine,
    pub(super) repository: Repository,
    log: PathBuf,
}

impl Fixture {
    /// Starts and fills it, with a line about each step.
    pub(super) async fn set_up(port: u16) -> Result<Self> {
        println!("Backups of Camunda Optimize: a demo on a real Elasticsearch.\n");
        println!(
            "Building the server. The first time takes some five minutes on two cores; cargo shows how far it is.\n"
        );
        let binary = announced("server built", build_host()).await?;
        let engine = step("starting Elasticsearch", Engine::start(Distribution::ELASTICSEARCH), |engine| {
            format!("Elasticsearch {} at {}", Distribution::ELASTICSEARCH.version, engine.client().url())
        })
        .await?;
        step("inventing an Optimize installation", create_installation(&engine), Clone::clone).await?;
        let repository = Repository::register_as(&engine, REPOSITORY, SLOW).await?;
        let log = log_file(&binary)?;
        let options = host_options(&binary, &engine, port, &log);
        let host = step("starting the host", Host::start(options), |host| {
            format!("host at {}, its log in {}", host.url(), log.display())
        })
        .await?;
        Ok(Self { host, engine, repository, log })
    }

    pub(super) fn print_next_steps(&self) {
        let api = format!("{}actuator", self.host.url());
        let engine = self.engine.client().url();
        println!(
            "\nTry it:
  curl -s {api}/backups
  curl -s {api}/backups/1
  curl -s -X POST {api}/backups -H 'Content-Type: application/json' -d '{{\"backupId\": 2}}'
  curl -s -X DELETE {api}/backups/1
  curl -s {api}/health
  curl -s '{engine}_cat/snapshots/{}?v'
  tail -f {}

Ctrl-C ends all of it.",
            self.repository.name(),
            self.log.display(),
        );
    }
}

/// Builds the host, with cargo's own progress on the terminal, and tells where the binary is.
async fn build_host() -> Result<PathBuf> {
    // With the features that the tests have, so that nothing is built twice for demo and tests: those
    // of the whole workspace, and, which the examples are for, of the dependencies of tests.
    let messages = build_messages(&["build", "--workspace", "--bin", "optimize-backup", "--examples"]).await?;
    let mut executables = messages.iter().rev().filter_map(|message| message.get("executable")?.as_str());
    executables.next().map(PathBuf::from).context("cargo does not tell the binary")
}

/// Returns what there is now, for people.
async fn create_installation(engine: &Engine) -> Result<String> {
    let installation = Installation::large(engine, PREFIX, INSTANCES).await?;
    let import = installation.import_indices();
    for index in &import {
        installation.grow(index, IMPORT_FILL).await?;
    }
    let others = installation.other_indices();
    for index in others.iter().filter(|index| index.contains("-instance-")) {
        installation.grow(index, INSTANCES_FILL).await?;
    }
    let neighbours = create_neighbours(engine, PREFIX).await?;
    let indices = import.len() + others.len();
    Ok(format!("Optimize with {indices} indices; {} indices of other applications", neighbours.len()))
}

fn host_options(binary: &Path, engine: &Engine, port: u16, log: &Path) -> HostOptions {
    let url = engine.client().url();
    HostOptions::new(binary.to_owned())
        .env("CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR", &port.to_string())
        .env("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", REPOSITORY)
        .env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SETTINGS_INDEX_PREFIX", PREFIX)
        .env("OPTIMIZE_ELASTICSEARCH_HOST", url.host_str().unwrap_or_default())
        .env("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", &url.port_or_known_default().unwrap_or_default().to_string())
        .log_to(log)
}

/// Below cargo's target folder, beside the folder of the profile that the binary is in.
fn log_file(binary: &Path) -> Result<PathBuf> {
    let folder = binary.ancestors().nth(2).context("the binary is not in a target folder")?.join("demo");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let file = folder.join("optimize-backup.log");
    // Short, for people, where it can be.
    Ok(file.strip_prefix(std::env::current_dir()?).map_or_else(|_| file.clone(), Path::to_owned))
}
