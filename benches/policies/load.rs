//! How long callers of a real host wait while its policies are exchanged.

use std::time::Duration;

use anyhow::{Result, ensure};
use backup_test_hosts::policies::embedded_as;
use backup_test_support::host::{Host, HostOptions};
use reqwest::{Client, Method};
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::canned::{self, CannedEngine};
use crate::exchange::version;
use crate::figures::Samples;
use crate::report::{Figure, Report, Row};
use crate::sides::{BINARY, settings};

const TOKEN: &str = "a-token-for-the-bench";
const PART: &str = "load";
/// What is in the engine.
const BACKUPS: usize = 10;
/// Requests are sent at this rate, whether or not those before have been answered.
const EVERY: Duration = Duration::from_millis(10);
const REQUESTS: usize = 500;
const ROUNDS: usize = 5;
const EXCHANGES: u32 = 100;
const CANDIDATES: usize = 3;

/// The requests of callers, in turn, each with the status that is expected.
const MIX: [(Method, &str, &str, u16); 5] = [
    (Method::GET, "actuator/backups", "", 200),
    (Method::GET, "actuator/backups/10001", "", 200),
    (Method::GET, "actuator/backups/999", "", 404),
    (Method::GET, "actuator/backups/abc", "", 400),
    (Method::POST, "actuator/backups", r#"{"backupId": 10001}"#, 409),
];

pub(crate) async fn measure(engine: &CannedEngine, report: &mut Report) -> Result<()> {
    let options = HostOptions::new(BINARY.into()).token(TOKEN);
    let settings = settings(engine.port(), &canned::repository(BACKUPS));
    let host = Host::start(settings.iter().fold(options, |options, (name, value)| options.env(name, value))).await?;
    let operator = Operator { http: Client::builder().no_proxy().build()?, url: host.url().to_string() };
    operator.replace(0).await?;
    let (mut quiet, mut exchanging, mut admitting) = <(Samples, Samples, Samples)>::default();
    for round in 0..ROUNDS {
        quiet.append(operator.under_load(async { Ok(()) }).await?);
        exchanging.append(operator.under_load(operator.exchange_to_and_fro()).await?);
        let first = 1 + round * CANDIDATES;
        admitting.append(operator.under_load(operator.replace_by(first..first + CANDIDATES)).await?);
    }
    for (what, took) in [
        (format!("{EXCHANGES} exchanges in each 5 s"), &exchanging),
        (format!("{CANDIDATES} candidates admitted in each 5 s"), &admitting),
    ] {
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            let [ours, quiet] = [took, &quiet].map(|took| Figure::time(took.quantile(share)));
            let what = format!("a request of 100 a second, {name}: {what}");
            report.add(Row::new(PART, what, ours).beside("none", Some(quiet)));
        }
    }
    Ok(())
}

/// Replaces the policies of a host, and calls it.
struct Operator {
    http: Client,
    url: String,
}

impl Operator {
    /// Sends requests while `work` is done; how long each of them waited.
    async fn under_load(&self, work: impl Future<Output = Result<()>>) -> Result<Samples> {
        let (samples, ()) = tokio::try_join!(self.call_all(), work)?;
        Ok(samples)
    }

    async fn call_all(&self) -> Result<Samples> {
        let (mut ticks, mut calls) = (interval(EVERY), JoinSet::new());
        for (method, path, body, expected) in MIX.into_iter().cycle().take(REQUESTS) {
            let due = ticks.tick().await;
            let request = self.http.request(method, format!("{}{path}", self.url));
            let request = request.bearer_auth(TOKEN).header("content-type", "application/json").body(body);
            calls.spawn(async move {
                let status = request.send().await?.status().as_u16();
                ensure!(status == expected, "{path} was answered with {status}");
                Ok(due.elapsed())
            });
        }
        let mut samples = Samples::default();
        while let Some(call) = calls.join_next().await {
            samples.add(call??);
        }
        Ok(samples)
    }

    async fn exchange_to_and_fro(&self) -> Result<()> {
        let mut ticks = interval(EVERY * u32::try_from(REQUESTS)? / EXCHANGES);
        for _ in 0..EXCHANGES {
            ticks.tick().await;
            self.order(Method::POST, "actuator/policy/rollback", Vec::new()).await?;
        }
        Ok(())
    }

    async fn replace_by(&self, versions: impl Iterator<Item = usize>) -> Result<()> {
        for version in versions {
            self.replace(version).await?;
        }
        Ok(())
    }

    async fn replace(&self, number: usize) -> Result<()> {
        self.order(Method::PUT, "actuator/policy?force=true", embedded_as(&version(number))).await
    }

    async fn order(&self, method: Method, path: &str, body: Vec<u8>) -> Result<()> {
        let request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(TOKEN).body(body);
        let status = request.send().await?.status();
        ensure!(status.is_success(), "{path} was answered with {status}");
        Ok(())
    }
}
