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
/// Lists of all backups: what each is called, its path and query, and what is wanted of it beside the engine's.
const LISTS: [(&str, &str, Option<f64>); 2] =
    [("", "/actuator/backups", Some(1.25)), (" with `verbose=false`", "/actuator/backups?verbose=false", None)];

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let engine = Engine::start(Distribution::ELASTICSEARCH).await?;
    let repository = repository(&engine).await?;
    let host = Side::Ours.start(port_of(engine.client().url()), repository.name()).await?;
    for (what, list, wanted) in LISTS {
        let own = engine.client().url().join(&request_of_list(&engine, repository.name(), list).await?)?.to_string();
        let our = format!("http://127.0.0.1:{}{list}", port(&host));
        let (mut ours, mut engines) = (Samples::default(), Samples::default());
        curl(&own).await?;
        for _ in 0..ROUNDS {
            engines.add(curl(&own).await?);
            ours.add(curl(&our).await?);
        }
        let what = format!("list of {BACKUPS} backups{what} on {}, curl", Distribution::ELASTICSEARCH);
        let own = "the engine's own list, the same request, curl";
        let row = Row::new(PART, what, Figure::time(ours.median())).beside(own, Some(Figure::time(engines.median())));
        report.add(wanted.map_or(row.clone(), |most| row.wanted(Wanted::AtMost(most))));
    }
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

/// What a host asks the engine for when it answers this list.
async fn request_of_list(engine: &Engine, repository: &str, list: &str) -> Result<String> {
    let proxy = FaultProxy::in_front_of(engine).await?;
    let host = Side::Ours.start(port_of(&proxy.url()?), repository).await?;
    let reply = host.get(list).await?;
    let complete = reply.text.matches(r#""state":"COMPLETE""#).count();
    ensure!(complete == BACKUPS, "{complete} of {BACKUPS} backups are complete: {} {:.300}", reply.status, reply.text);
    let requests = proxy.requests().into_iter().map(|request| request.path);
    let mut lists = requests.filter(|path| {
        path.contains("camunda_optimize_*") && path.contains("verbose=false") == list.contains("verbose=false")
    });
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
