//! A list from a real Elasticsearch, beside the engine's own: how long a caller of curl waits.

mod multiplied;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::host::Host;
use backup_test_support::installation::Installation;
use backup_test_support::repository::{Repository, RepositoryOptions};
use tokio::process::Command;

use crate::figures::Samples;
use crate::report::{Figure, Report, Row, Wanted};
use crate::sides::{Side, port};

const PART: &str = "elasticsearch";
const BACKUPS: usize = 10_000;
const ROUNDS: usize = 5;
const PREFIX: &str = "optimize";
/// What the host asks for, too.
const FIELDS: &str = "snapshots.snapshot,snapshots.uuid,snapshots.state,snapshots.version,snapshots.version_id,\
    snapshots.start_time_in_millis,snapshots.end_time_in_millis,snapshots.reason,snapshots.failures,\
    snapshots.metadata,failures,error,status";

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let engine = Engine::start(Distribution::ELASTICSEARCH).await?;
    let repository = repository(&engine).await?;
    let engine_port = engine.client().url().port().unwrap_or_default();
    let host = Side::Ours.start(engine_port, repository.name()).await?;
    expect_complete(&host).await?;
    let own = format!(
        "http://127.0.0.1:{engine_port}/_snapshot/{}/camunda_optimize_*?filter_path={FIELDS}",
        repository.name()
    );
    let our = format!("http://127.0.0.1:{}/actuator/backups", port(&host));
    let (mut ours, mut engines) = (Samples::default(), Samples::default());
    curl(&own).await?;
    for _ in 0..ROUNDS {
        engines.add(curl(&own).await?);
        ours.add(curl(&our).await?);
    }
    let what = format!("list of {BACKUPS} backups on {}, curl", Distribution::ELASTICSEARCH);
    let row = Row::new(PART, what, Figure::time(ours.median()));
    let own = "the engine's own list of the same fields, curl";
    report.add(row.beside(own, Some(Figure::time(engines.median()))).wanted(Wanted::AtMost(1.25)));
    Ok(())
}

/// A repository with one backup that this host has made, and as many more.
async fn repository(engine: &Engine) -> Result<Repository> {
    let made = Repository::register(engine).await?;
    Installation::create(engine, PREFIX).await?;
    let host = Side::Ours.start(engine.client().url().port().unwrap_or_default(), made.name()).await?;
    let reply = host.create(multiplied::FIRST_ID).await?;
    ensure!(reply.status == 202, "the backup was not accepted: {}", reply.text);
    host.wait_for_state(multiplied::FIRST_ID, "COMPLETE").await?;
    let copy = made.copy_to(engine, RepositoryOptions::default()).await?;
    // What the engine knows of it would be out of date.
    engine.client().delete(&format!("/_snapshot/{}", copy.name())).await?.ok()?;
    let folder = copy.folder()?.to_owned();
    tokio::task::spawn_blocking(move || multiplied::multiply(&folder, BACKUPS)).await??;
    Repository::register_as(engine, copy.name(), RepositoryOptions::default()).await
}

async fn expect_complete(host: &Host) -> Result<()> {
    let list = host.get("/actuator/backups").await?;
    let complete = list.text.matches(r#""state":"COMPLETE""#).count();
    ensure!(complete == BACKUPS, "{complete} of {BACKUPS} backups are complete: {} {:.300}", list.status, list.text);
    Ok(())
}

/// How long curl takes for a request, from first to last byte.
async fn curl(url: &str) -> Result<Duration> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--globoff", "--output", "/dev/null", "--write-out", "%{http_code} %{time_total}", url]);
    let output = curl.output().await.context("curl does not run")?;
    let text = String::from_utf8(output.stdout)?;
    let (status, seconds) = text.split_once(' ').context("curl told no time")?;
    ensure!(status == "200", "{url} was answered with {status}");
    Ok(Duration::from_secs_f64(seconds.parse()?))
}
