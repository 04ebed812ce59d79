//! Wrong settings: an error at the start, or in the answer where only the engine can know.

use std::time::Duration;

use anyhow::{Context, Result};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::installation::unique_prefix;
use backup_test_support::poll_until;
use backup_test_support::repository::{Repository, RepositoryOptions};
use serde_json::{Value, json};

use crate::fixture::{Fixture, bare_options, options};
use crate::{everywhere, on_elasticsearch};

on_elasticsearch!(without_a_repository_every_call_says_so);

everywhere!(
    a_missing_repository_is_told,
    a_read_only_repository_is_told,
    nothing_is_written_without_indices,
    the_version_is_read_or_told_to_be_missing;
    other hosts only: without_a_repository_every_call_says_so, a_wrong_setting_is_every_answer
);

/// The answers of all four endpoints.
async fn answers(host: &Host) -> Result<Vec<(u16, Value)>> {
    let replies = [
        host.create(1).await?,
        host.get("/actuator/backups/1").await?,
        host.get("/actuator/backups").await?,
        host.delete("/actuator/backups/1").await?,
    ];
    replies.into_iter().map(|reply| Ok((reply.status, reply.json()?["errorCode"].take()))).collect()
}

async fn without_a_repository_every_call_says_so(distribution: Distribution) -> Result<()> {
    let engine = Engine::shared(distribution).await?;
    let host = Host::start(options(&engine, "", "optimize")).await?;
    assert_eq!(answers(&host).await?, vec![(400, json!("repositoryNotConfigured")); 4]);
    let message = host.create(1).await?.json()?;
    assert!(
        message["errorMessage"].as_str().is_some_and(|text| text.contains("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME"))
    );
    Ok(())
}

/// Elasticsearch 7.17 and 8.11 answer 200 to a list in a repository that is not there.
async fn a_missing_repository_is_told(distribution: Distribution) -> Result<()> {
    let engine = Engine::shared(distribution).await?;
    let host = Host::start(options(&engine, "not-there", "optimize")).await?;
    assert_eq!(answers(&host).await?, vec![(400, json!("repositoryMissing")); 4]);

    let readiness = host.get("/actuator/health/readiness").await?;
    assert_eq!(readiness.status, 503);
    let components = &readiness.json()?["components"];
    assert_eq!((&components["engine"]["status"], &components["repository"]["status"]), (&json!("UP"), &json!("DOWN")));
    assert_eq!(host.get("/actuator/health").await?.status, 503);
    assert_eq!(host.get("/actuator/health/liveness").await?.status, 200);
    Ok(())
}

async fn a_read_only_repository_is_told(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::on_own_engine(distribution).await?;
    let host = fixture.host().await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    let read_only = RepositoryOptions { readonly: true, ..Default::default() };
    let copy = fixture.repository.copy_to(&fixture.engine, read_only).await?;
    let host = Host::start(options(&fixture.engine, copy.name(), fixture.installation.prefix())).await?;

    let refused = (400, json!("repositoryReadOnly"));
    assert_eq!(code(host.create(2).await?)?, refused);
    // A busy engine may refuse the deletion only after the 204.
    let reply = poll_until("the refusal", Duration::from_secs(30), async || {
        let reply = host.delete("/actuator/backups/1").await?;
        Ok((reply.status != 204).then_some(reply))
    });
    assert_eq!(code(reply.await?)?, refused);
    host.wait_for_state(1, "COMPLETE").await
}

fn code(reply: backup_test_support::host::Reply) -> Result<(u16, Value)> {
    Ok((reply.status, reply.json()?["errorCode"].take()))
}

/// An empty list of indices would make the engine snapshot the whole cluster.
async fn nothing_is_written_without_indices(distribution: Distribution) -> Result<()> {
    let engine = Engine::shared(distribution).await?;
    let repository = Repository::register(&engine).await?;
    let empty = unique_prefix();
    let (import_only, others_only) = (unique_prefix(), unique_prefix());
    for index in [format!("{import_only}-import-index_v3"), format!("{others_only}-settings_v3")] {
        engine.client().put(&format!("/{index}"), &json!({"settings": {"number_of_replicas": 0}})).await?.ok()?;
    }
    for prefix in [empty, import_only, others_only] {
        let options = options(&engine, repository.name(), &prefix).env("CAMUNDA_OPTIMIZE_VERSION", "8.6.0");
        let host = Host::start(options).await?;
        let reply = host.create(1).await?;
        let message = reply.json()?["errorMessage"].to_string();
        assert!(message.contains(&prefix), "{message}");
        assert_eq!(code(reply)?, (500, json!("nothingToBackUp")));
    }
    assert!(repository.snapshots().await?.is_empty());
    Ok(())
}

async fn the_version_is_read_or_told_to_be_missing(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let metadata = format!("{}-metadata_v3", fixture.installation.prefix());
    fixture.engine.client().delete(&format!("/{metadata}/_doc/1")).await?.ok()?;
    let host = fixture.host().await?;
    assert_eq!(code(host.create(1).await?)?, (500, json!("optimizeVersionUnknown")));
    fixture.engine.client().delete(&format!("/{metadata}")).await?.ok()?;
    assert_eq!(code(host.create(1).await?)?, (500, json!("optimizeVersionUnknown")));
    assert!(fixture.repository.snapshots().await?.is_empty());

    let host = Host::start(fixture.options().env("CAMUNDA_OPTIMIZE_VERSION", "8.7.0-SNAPSHOT")).await?;
    // The version is set, but without this index the installation is not complete.
    assert_eq!(code(host.create(1).await?)?, (500, json!("indicesMissing")));
    assert!(fixture.repository.snapshots().await?.is_empty());
    let settings = json!({"settings": {"number_of_replicas": 0}});
    fixture.engine.client().put(&format!("/{metadata}"), &settings).await?.ok()?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(
        fixture.repository.snapshots().await?,
        ["camunda_optimize_1_8.7.0-snapshot_part_1_of_2", "camunda_optimize_1_8.7.0-snapshot_part_2_of_2"]
    );
    Ok(())
}

#[tokio::test]
async fn optimizes_own_file_is_enough() -> Result<()> {
    let fixture = Fixture::new(Distribution::ELASTICSEARCH).await?;
    let url = fixture.engine.client().url();
    let yaml = format!(
        "security:\n  auth:\n    cookie:\n      same-site:\n        enabled: true\n\
         es:\n  connection:\n    nodes:\n    - host: {}\n      httpPort: ${{TEST_PORT:1}}\n  backup:\n    repositoryName: {}\n\
         \x20 settings:\n    index:\n      prefix: '{}'\n",
        url.host_str().context("a host")?,
        fixture.repository.name(),
        fixture.installation.prefix(),
    );
    let port = url.port().context("a port")?.to_string();
    let host = Host::start(bare_options().config(&yaml).env("TEST_PORT", &port)).await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start() -> Result<()> {
    let not_a_policy = tempfile::NamedTempFile::new()?;
    let path = not_a_policy.path().to_str().context("a path")?;
    for (variable, value, expected) in [
        ("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", "92oo", "es.connection.nodes[0].httpPort"),
        ("CAMUNDA_OPTIMIZE_DATABASE", "mysql", "backup.database"),
        ("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", "a,b", "es.backup.repositoryName"),
        ("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "soon", "backup.resumeWindow"),
        ("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SETTINGS_INDEX_PREFIX", "*", "es.settings.index.prefix"),
        ("CAMUNDA_OPTIMIZE_BACKUP_LOG_LEVEL", "loud=very", "backup.logLevel"),
        ("CAMUNDA_OPTIMIZE_POLICY_PATH", "/not/there.wasm", "policy.path"),
        ("CAMUNDA_OPTIMIZE_POLICY_PATH", path, "policy.path"),
    ] {
        let failure = Host::start_failing(bare_options().env(variable, value)).await?;
        assert_eq!(failure.code, Some(1), "{variable}={value}: {}", failure.stderr);
        let lines: Vec<&str> = failure.stderr.lines().collect();
        assert!(lines.len() == 1 && lines[0].contains(expected), "{variable}={value}: {}", failure.stderr);
    }
    Ok(())
}

/// The host of this project does not start with these.
async fn a_wrong_setting_is_every_answer(_: Distribution) -> Result<()> {
    for (variable, value, expected) in [
        ("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", "92oo", "es.connection.nodes[0].httpPort"),
        ("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "soon", "backup.resumeWindow"),
        ("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD_FILE", "/run/secrets/password", "passwordFile"),
    ] {
        let host = Host::start(bare_options().env(variable, value).not_recorded()).await?;
        assert_eq!(answers(&host).await?, vec![(400, json!("invalidSetting")); 4]);
        let message = host.create(1).await?.json()?;
        assert!(message["errorMessage"].as_str().is_some_and(|text| text.contains(expected)), "{message}");
        assert_eq!(host.get("/actuator/health/readiness").await?.status, 400);
        assert_eq!(host.get("/actuator/health/liveness").await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn a_taken_port_stops_the_start() -> Result<()> {
    let taken = std::net::TcpListener::bind("0.0.0.0:0")?;
    let port = taken.local_addr()?.port().to_string();
    let options: HostOptions = bare_options().env("CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR", &port);
    let failure = Host::start_failing(options).await?;
    assert!(
        failure.stderr.contains("container.ports.actuator") && failure.stderr.contains(&port),
        "{}",
        failure.stderr
    );
    Ok(())
}
