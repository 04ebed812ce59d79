//! What a host reads by itself when nobody calls it.

use std::time::{Duration, Instant};

use anyhow::Result;
use backup_test_support::host::Host;

use crate::canned::{self, CannedEngine};
use crate::report::{Figure, Report, Row, Wanted};
use crate::sides::Side;

/// A host that nobody calls, while everything else is measured.
pub(crate) struct Idle {
    engine: CannedEngine,
    _host: Host,
    since: Instant,
}

/// Long enough for two looks for backups to resume, which are 30 s apart.
const LEAST: Duration = Duration::from_secs(65);
const BACKUPS: usize = 10_000;

impl Idle {
    pub(crate) async fn start() -> Result<Self> {
        let engine = CannedEngine::start()?;
        let host = Side::Ours.start(engine.port(), &canned::repository(BACKUPS)).await?;
        Ok(Self { engine, _host: host, since: Instant::now() })
    }

    pub(crate) async fn finish(self, report: &mut Report) {
        tokio::time::sleep_until((self.since + LEAST).into()).await;
        let what =
            format!("lists with all metadata that an idle host sends, {BACKUPS} backups, {:.0?}", self.since.elapsed());
        let row = Row::new("idle", what, Figure::number(self.engine.full_lists()));
        report.add(row.wanted(Wanted::AtMost(0.0)));
    }
}
