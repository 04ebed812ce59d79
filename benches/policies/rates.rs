//! Requests a second of small answers.

use std::time::Duration;

use anyhow::Result;
use backup_test_support::host::Host;

use crate::caller::{get, rate};
use crate::canned::{self, CannedEngine};
use crate::figures::median;
use crate::report::{Figure, Report, Row, Wanted};
use crate::sides::{Side, port};

const PART: &str = "rates";
const CONNECTIONS: usize = 8;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(800);
/// How many backups are asked for in turn: so equal requests are seldom under way at the same time.
const BACKUPS: usize = 64;

/// One kind of request to one host, and what came of it.
struct Rate<'a> {
    host: &'a Host,
    requests: Vec<Vec<u8>>,
    status: u16,
    rounds: Vec<f64>,
}

pub(crate) async fn measure(engine: &CannedEngine, report: &mut Report) -> Result<()> {
    let repository = canned::repository(BACKUPS);
    let ours = Side::Ours.start(engine.port(), &repository).await?;
    let native = Side::Native.start(engine.port(), &repository).await?;
    let cached = Side::NativeCached.start(engine.port(), &repository).await?;
    let wasmtime = Side::Wasmtime.start(engine.port(), &repository).await?;
    let one = |path: &str| vec![get(path); CONNECTIONS];
    let backups = || (0..BACKUPS).map(|number| get(&format!("/actuator/backups/{}", canned::id(number)))).collect();
    let of = |host, requests, status| Rate { host, requests, status, rounds: Vec::new() };
    let mut rates = [
        of(&ours, one("/actuator/health/liveness"), 200),
        of(&ours, one("/actuator/backups/abc"), 400),
        of(&ours, backups(), 200),
        of(&native, backups(), 200),
        of(&cached, backups(), 200),
        of(&wasmtime, backups(), 200),
    ];
    for _ in 0..ROUNDS {
        for kind in &mut rates {
            kind.round().await?;
        }
    }
    let [liveness, invalid, ours, native, cached, wasmtime] = rates.map(|rate| Figure::PerSecond(median(&rate.rounds)));
    let row = |what, ours, beside, other| Row::new(PART, what, ours).beside(beside, Some(other));
    let what = "GET of one backup, 8 connections";
    report.add(row("GET of an invalid ID, 8 connections", invalid, "liveness", liveness).wanted(Wanted::AtLeast(0.4)));
    report.add(row(what, ours, Side::Native.name(), native).wanted(Wanted::AtLeast(0.9)));
    report.add(row(what, ours, Side::NativeCached.name(), cached));
    report.add(row(what, ours, Side::Wasmtime.name(), wasmtime).wanted(Wanted::AtLeast(1.5)));
    Ok(())
}

impl Rate<'_> {
    async fn round(&mut self) -> Result<()> {
        let requests = self.requests.clone();
        self.rounds.push(rate(port(self.host), requests, self.status, CONNECTIONS, ROUND).await?);
        Ok(())
    }
}
