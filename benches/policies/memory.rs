//! How much memory the host has resident at most.

use anyhow::Result;

use crate::caller::{Connection, get};
use crate::canned::{self, CannedEngine};
use crate::report::{Figure, Report, Row, Wanted};
use crate::sides::{Side, port};

const PART: &str = "memory";
const BACKUPS: usize = 10_000;
const LISTS: usize = 40;
const MAX_MEBIBYTES: f64 = 128.0;

pub(crate) async fn measure(engine: &CannedEngine, report: &mut Report) -> Result<()> {
    let what = format!("resident at most, {LISTS} lists of {BACKUPS} backups");
    let filtered = peak(engine, &canned::repository(BACKUPS)).await?;
    report.add(Row::new(PART, what, filtered).wanted(Wanted::AtMost(MAX_MEBIBYTES)));
    let every_field = peak(engine, &canned::every_field(BACKUPS)).await?;
    let what = "… of an engine that sends every field";
    report.add(Row::new(PART, what, every_field).wanted(Wanted::AtMost(MAX_MEBIBYTES)));
    Ok(())
}

async fn peak(engine: &CannedEngine, repository: &str) -> Result<Figure> {
    let host = Side::Ours.start(engine.port(), repository).await?;
    let mut connection = Connection::open(port(&host)).await?;
    for _ in 0..LISTS {
        connection.timed(&get("/actuator/backups"), 200).await?;
    }
    Ok(Figure::bytes(host.peak_memory()?))
}
