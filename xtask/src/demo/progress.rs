//! A backup's progress, live: bars on a terminal, lines elsewhere.

use std::time::Duration;

use anyhow::Result;
use backup_test_support::client::Client;
use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};

use super::backup::{Backup, IN_PROGRESS, Snapshot};
use super::fixture::Fixture;

const REFRESH: Duration = Duration::from_millis(200);

const PARTS: [&str; 2] = ["part 1 of 2, import progress", "part 2 of 2, everything else"];

/// Shows the progress of a backup until it has ended.
pub(super) async fn follow(fixture: &Fixture, id: u64) -> Result<Backup> {
    let parts = Parts::new()?;
    let mut ticks = interval(REFRESH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let backup = Backup::get(&fixture.host, id).await?;
        parts.show(&backup, fixture).await?;
        if backup.state != IN_PROGRESS {
            // What is left of the bars stays on the screen.
            parts.bars.iter().for_each(ProgressBar::abandon);
            return Ok(backup);
        }
    }
}

struct Parts {
    screen: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Parts {
    fn new() -> Result<Self> {
        let style = ProgressStyle::with_template("{prefix:29} {bar:32.green} {bytes:>11} of {total_bytes:10} {msg}")?;
        let screen = MultiProgress::new();
        let bars = PARTS.map(|part| screen.add(ProgressBar::new(0).with_style(style.clone()).with_prefix(part)));
        Ok(Self { screen, bars: bars.into() })
    }

    async fn show(&self, backup: &Backup, fixture: &Fixture) -> Result<()> {
        for (bar, snapshot) in self.bars.iter().zip(&backup.details) {
            if bar.is_finished() {
                continue;
            }
            let (done, total) = written(fixture.engine.client(), fixture.repository.name(), snapshot).await?;
            bar.set_length(total);
            bar.set_position(done);
            self.update(bar, snapshot, total);
        }
        Ok(())
    }

    fn update(&self, bar: &ProgressBar, snapshot: &Snapshot, total: u64) {
        let is_new = bar.message() != snapshot.state;
        bar.set_message(snapshot.state.clone());
        let ended = snapshot.state != IN_PROGRESS;
        if ended {
            bar.abandon();
        }
        if is_new && self.screen.is_hidden() {
            let size = if ended { format!(", {}", HumanBytes(total)) } else { String::new() };
            println!("{}: {}{size}", bar.prefix(), snapshot.state);
        }
    }
}

/// How many bytes of a snapshot are written, and how many there are.
async fn written(engine: &Client, repository: &str, snapshot: &Snapshot) -> Result<(u64, u64)> {
    let name = &snapshot.snapshot_name;
    let path = format!("/_snapshot/{repository}/{name}/_status?filter_path=snapshots.stats");
    let status = engine.get(&path).await?.ok()?;
    let bytes =
        |what: &str| status.pointer(&format!("/snapshots/0/stats/{what}/size_in_bytes")).and_then(Value::as_u64);
    let total = bytes("incremental").unwrap_or_default();
    // Told only while there is something left to write.
    Ok((bytes("processed").unwrap_or(total), total))
}
