//! A list from a real Elasticsearch, beside the engine's own: how long a caller of curl waits.

mod multiplied;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::fault::FaultProxy;
use backup_test_support::installation::Installation;
use backup_test_support::repository::{Repository, RepositoryOptions};
use reqwest::Url;
use tokio::process::Command;

use crate::figures::Samples;
use crate::report::{Figure, Report, Row, Wanted};
use crate::sides::{Side, port};

const PART: &str = "elasticsearch";
const BACKUPS: usize = 10_000;
const ROUNDS: usize = 5;
const PREFIX: &str = "optimize";
pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let engine = Engine::start(Distribution::ELASTICSEARCH).await?;
    let repository = repository(&engine).await?;
    let own = engine.client().url().join(&request_of_list(&engine, repository.name()).await?)?.to_string();
    let host = Side::Ours.start(port_of(engine.client().url()), repository.name()).await?;
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
    let host = Side::Ours.start(port_of(engine.client().url()), made.name()).await?;
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

/// What a host asks the engine for when it lists all backups.
async fn request_of_list(engine: &Engine, repository: &str) -> Result<String> {
    let proxy = FaultProxy::in_front_of(engine).await?;
    let host = Side::Ours.start(port_of(&proxy.url()?), repository).await?;
    let list = host.get("/actuator/backups").await?;
    let complete = list.text.matches(r#""state":"COMPLETE""#).count();
    ensure!(complete == BACKUPS, "{complete} of {BACKUPS} backups are complete: {} {:.300}", list.status, list.text);
    let requests = proxy.requests().into_iter().map(|request| request.path);
    let mut lists = requests.filter(|path| path.contains("camunda_optimize_*") && !path.contains("verbose=false"));
    lists.next().context("the host has not listed the snapshots")
}

fn port_of(url: &Url) -> u16 {
    url.port().unwrap_or_default()
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
