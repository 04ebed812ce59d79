//! What a test needs: an engine, a repository, an installation, and a host that knows them.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use anyhow::{Result, ensure};
use backup_test_support::engine::{Distribution, Engine, Kind};
use backup_test_support::fault::FaultProxy;
use backup_test_support::fixture;
use backup_test_support::host::{Host, HostOptions};
pub(crate) use backup_test_support::installation::part;
use backup_test_support::poll_until;
use backup_test_support::repository::RepositoryOptions;
use reqwest::Url;
use serde_json::{Value, json};

use crate::servers;

/// The engine may take minutes for a running snapshot.
pub(crate) const DELETION_TIMEOUT: Duration = Duration::from_secs(600);

/// The fixture of all tests on real engines, with the hosts of these tests.
pub(crate) struct Fixture(pub(crate) fixture::Fixture);

impl Deref for Fixture {
    type Target = fixture::Fixture;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Fixture {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Fixture {
    pub(crate) async fn new(distribution: Distribution) -> Result<Self> {
        fixture::Fixture::new(distribution).await.map(Self)
    }

    /// The same, in which part 1 takes some seconds.
    pub(crate) async fn slow(distribution: Distribution) -> Result<Self> {
        fixture::Fixture::slow(distribution).await.map(Self)
    }

    pub(crate) async fn with_repository(distribution: Distribution, options: RepositoryOptions) -> Result<Self> {
        fixture::Fixture::with_repository(distribution, options).await.map(Self)
    }

    /// On an engine that was started here, whose folder so is known, also where `ELASTICSEARCH_URL` names another one.
    pub(crate) async fn on_own_engine(distribution: Distribution) -> Result<Self> {
        fixture::Fixture::on(Engine::shared_own(distribution).await?, RepositoryOptions::default()).await.map(Self)
    }

    /// A host for this fixture.
    pub(crate) async fn host(&self) -> Result<Host> {
        Host::start(self.options()).await
    }

    pub(crate) fn options(&self) -> HostOptions {
        options(&self.engine, self.repository.name(), self.installation.prefix())
    }

    /// The same, with a proxy in the engine's place.
    pub(crate) fn options_through(&self, proxy: &FaultProxy) -> Result<HostOptions> {
        options_through(proxy, &self.engine, self.repository.name(), self.installation.prefix())
    }

    /// One field of one snapshot, as the engine tells it.
    pub(crate) async fn snapshot(&self, name: &str) -> Result<Value> {
        let path = format!("/_snapshot/{}/{name}", self.repository.name());
        let mut body = self.engine.client().get(&path).await?.ok()?;
        Ok(body["snapshots"][0].take())
    }

    /// Writes a snapshot as somebody else would.
    pub(crate) async fn write_snapshot(&self, name: &str, indices: &[String], partial: bool) -> Result<()> {
        let path = format!("/_snapshot/{}/{name}?wait_for_completion=true", self.repository.name());
        let body = json!({"indices": indices, "include_global_state": false, "partial": partial});
        // The engine may not have assigned the primaries of new indices yet.
        poll_until("the snapshot is written", Duration::from_secs(60), async || {
            let reply = self.engine.client().put(&path, &body).await?;
            let is_early = !partial && reply.status == 500 && reply.body.to_string().contains("primary shards");
            if is_early { Ok(None) } else { reply.ok().map(|_| Some(())) }
        })
        .await
    }

    /// Waits until the engine has finished a snapshot.
    pub(crate) async fn finished(&self, name: &str) -> Result<()> {
        poll_until("the snapshot ends", Duration::from_secs(300), async || {
            Ok((self.snapshot(name).await?["state"] != "IN_PROGRESS").then_some(()))
        })
        .await
    }

    pub(crate) async fn delete_snapshot(&self, name: &str) -> Result<()> {
        self.engine.client().delete(&format!("/_snapshot/{}/{name}", self.repository.name())).await?.ok()?;
        Ok(())
    }
}

/// The settings of a host for an engine.
pub(crate) fn options(engine: &Engine, repository: &str, prefix: &str) -> HostOptions {
    let itself = engine.client().url();
    options_at(engine.kind(), itself, itself, repository, prefix)
}

/// The same, with a proxy in the engine's place.
pub(crate) fn options_through(
    proxy: &FaultProxy,
    engine: &Engine,
    repository: &str,
    prefix: &str,
) -> Result<HostOptions> {
    Ok(options_at(engine.kind(), engine.client().url(), &proxy.url()?, repository, prefix))
}

/// The settings of a host for an engine that is asked at `url`, whatever is there in its place.
pub(crate) fn options_at(kind: Kind, itself: &Url, url: &Url, repository: &str, prefix: &str) -> HostOptions {
    let [host_variable, port_variable] = address_variables(kind);
    let prefix_variable = format!("CAMUNDA_OPTIMIZE_{}_SETTINGS_INDEX_PREFIX", kind.name().to_uppercase());
    let options = bare_options()
        .env("CAMUNDA_OPTIMIZE_DATABASE", kind.name())
        .env(&prefix_variable, prefix)
        .env("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", repository)
        .env(host_variable, host_of(itself))
        .env(port_variable, &port_of(itself));
    if url == itself {
        return options;
    }
    options.proxy(host_variable, host_of(url), host_of(itself)).proxy(port_variable, &port_of(url), &port_of(itself))
}

/// The settings of the engine's host and port: Optimize's own names differ from one engine to the other.
pub(crate) fn address_variables(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::Elasticsearch => ["OPTIMIZE_ELASTICSEARCH_HOST", "OPTIMIZE_ELASTICSEARCH_HTTP_PORT"],
        Kind::OpenSearch => ["CAMUNDA_OPTIMIZE_OPENSEARCH_HOST", "CAMUNDA_OPTIMIZE_OPENSEARCH_HTTP_PORT"],
    }
}

fn host_of(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn port_of(url: &Url) -> String {
    url.port_or_known_default().unwrap_or_default().to_string()
}

/// A host without any settings.
pub(crate) fn bare_options() -> HostOptions {
    servers::options()
}

/// The indices in a snapshot, sorted.
pub(crate) fn indices(snapshot: &Value) -> Vec<String> {
    let mut names: Vec<String> =
        snapshot["indices"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    names.sort();
    names
}

/// Deletes a backup and waits until the engine has done it.
pub(crate) async fn delete(host: &Host, id: u64) -> Result<()> {
    let path = format!("/actuator/backups/{id}");
    let reply = host.delete(&path).await?;
    ensure!(reply.status == 204, "{}: {}", reply.status, reply.text);
    deletion_settled(host, id).await
}

/// Waits until a deletion that has got its 204 is done, as far as its host can tell.
pub(crate) async fn deletion_settled(host: &Host, id: u64) -> Result<()> {
    if servers::is_native() {
        return deletion_ended(host).await;
    }
    poll_until("the deletion ends", DELETION_TIMEOUT, async || is_gone(host, id).await).await
}

/// Whether a backup is gone, for [`poll_until`].
pub(crate) async fn is_gone(host: &Host, id: u64) -> Result<Option<()>> {
    Ok((host.get(&format!("/actuator/backups/{id}")).await?.status == 404).then_some(()))
}

/// Waits until a native host has nothing left to delete, and fails if the engine refused it.
pub(crate) async fn deletion_ended(host: &Host) -> Result<()> {
    poll_until("the deletion ends", DELETION_TIMEOUT, async || {
        let deletions = health(host, "deletions").await?;
        ensure!(deletions["failed"] == json!({}), "{deletions}");
        Ok((deletions["pending"] == json!([])).then_some(()))
    })
    .await
}

/// Waits until a host drives no backup any more. Of a host that does not tell its runs: until none is being
/// made.
pub(crate) async fn run_ended(host: &Host) -> Result<()> {
    poll_until("the run ends", Duration::from_secs(300), async || {
        let has_ended = if servers::is_native() {
            health(host, "runs").await?["active"] == json!({})
        } else {
            !host.get("/actuator/backups").await?.text.contains(r#""IN_PROGRESS""#)
        };
        Ok(has_ended.then_some(()))
    })
    .await
}

/// The details of one component of a host's health.
pub(crate) async fn health(host: &Host, component: &str) -> Result<Value> {
    Ok(host.get("/actuator/health").await?.json()?["components"][component]["details"].take())
}
