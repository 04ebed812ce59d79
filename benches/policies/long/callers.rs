//! Callers who list a slow engine without pause: whether a backup is made in time meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use backup_core::SnapshotState;
use backup_core::memory::MemoryEngine;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use backup_test_support::memory::{MemoryServer, engine_with_installation};
use backup_test_support::poll_until;
use tokio::task::JoinSet;

use crate::caller::{Connection, get};
use crate::report::{Figure, Report, Row, Wanted};
use crate::sides::{Side, port};

const PART: &str = "callers";
const REPOSITORY: &str = "backups";
const CALLERS: usize = 64;
/// How long the engine takes for each request about snapshots.
const DELAY: Duration = Duration::from_secs(2);
/// How long each part takes to be written.
const WRITING: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(300);
/// How much longer the backup may take with the callers.
const MAX_RATIO: f64 = 1.5;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let engine = engine_with_installation(REPOSITORY);
    engine.write_within(WRITING);
    let engine = MemoryServer::start(engine.into()).await?;
    let proxy = FaultProxy::in_front_of_url(engine.url()).await?;
    proxy.add(When::any("/_snapshot/"), Fault::delay(DELAY));
    let host = Side::Ours.start(proxy.url()?.port().unwrap_or_default(), REPOSITORY).await?;
    let quiet = backup(&host, engine.engine(), 1).await?;
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(list_for_ever(port(&host)));
    }
    let busy = tokio::select! {
        busy = backup(&host, engine.engine(), 2) => busy?,
        Some(ended) = callers.join_next() => return ended?,
    };
    callers.shutdown().await;
    host.wait_for_state(2, "COMPLETE").await?;
    let what = format!("a backup while {CALLERS} callers list an engine that takes {DELAY:?} for each request");
    let row = Row::new(PART, what, Figure::time(busy)).beside("without them", Some(Figure::time(quiet)));
    report.add(row.wanted(Wanted::AtMost(MAX_RATIO)));
    Ok(())
}

/// How long a backup takes until the engine has both parts.
async fn backup(host: &Host, engine: &MemoryEngine, id: u64) -> Result<Duration> {
    let started = Instant::now();
    let reply = host.create(id).await?;
    ensure!(reply.status == 202, "backup {id} was not accepted: {} {}", reply.status, reply.text);
    let prefix = format!("camunda_optimize_{id}_");
    poll_until("both parts", TIMEOUT, async || {
        let snapshots = engine.snapshots(REPOSITORY);
        let written = snapshots.iter().filter(|snapshot| snapshot.name.starts_with(&prefix));
        let written = written.filter(|snapshot| snapshot.state == SnapshotState::Success).count();
        Ok((written == 2).then_some(()))
    })
    .await?;
    Ok(started.elapsed())
}

/// Lists again as soon as there is an answer, whatever it is.
async fn list_for_ever(port: u16) -> Result<()> {
    let mut connection = Connection::open(port).await?;
    loop {
        connection.call(&get("/actuator/backups")).await?;
    }
}
