//! Many long lists: whether memory grows, and whether a health check waits.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval};

use crate::caller::{Connection, get};
use crate::canned::{self, CannedEngine};
use crate::figures::Samples;
use crate::report::{Figure, Report, Row, Wanted};
use crate::sides::{Side, port};

const PART: &str = "soak";
const BACKUPS: usize = 10_000;
const LISTS: usize = 1_000;
/// After so many the memory has its size.
const FIRST: usize = 100;
const CHECKS: Duration = Duration::from_millis(50);
const MAX_GROWTH: f64 = 1.05;

pub(crate) async fn measure(engine: &CannedEngine, report: &mut Report) -> Result<()> {
    let host = Side::Ours.start(engine.port(), &canned::repository(BACKUPS)).await?;
    let lists = async {
        let mut connection = Connection::open(port(&host)).await?;
        let request = get("/actuator/backups");
        let (mut first, mut times) = (0, Samples::default());
        for number in 0..LISTS {
            times.add(connection.timed(&request, 200).await?);
            if number + 1 == FIRST {
                first = host.peak_memory()?;
            }
        }
        anyhow::Ok((first, times))
    };
    let mut liveness = Samples::default();
    let (first, times) = tokio::select! {
        done = lists => done?,
        failed = check(port(&host), &mut liveness) => return failed,
    };
    let grown = Figure::bytes(host.peak_memory()?);
    let what = format!("resident at most after {LISTS} lists of {BACKUPS} backups");
    let row = Row::new(PART, what, grown).beside(format!("after the first {FIRST}"), Some(Figure::bytes(first)));
    report.add(row.wanted(Wanted::AtMost(MAX_GROWTH)));
    report.add(Row::new(PART, "… such a list, median", Figure::time(times.median())));
    let row = Row::new(PART, "… liveness meanwhile, p99", Figure::time(liveness.quantile(0.99)));
    report.add(row.wanted(Wanted::AtMost(20.0)));
    Ok(())
}

/// Checks the health again and again; returns only an error.
async fn check(port: u16, samples: &mut Samples) -> Result<()> {
    let mut connection = Connection::open(port).await?;
    let mut ticks = interval(CHECKS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        samples.add(connection.timed(&get("/actuator/health/liveness"), 200).await?);
    }
}
