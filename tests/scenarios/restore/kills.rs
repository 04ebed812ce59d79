//! Servers that are killed in a restore.

use std::fmt;

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use backup_test_support::installation::Installation;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;

use super::{ID, TOKEN, back_up, begin, change, complete, confirmed, state, uuids};
use crate::fixture::Fixture;
use crate::kills::{AT_ONCE, Kill, time_of};
use crate::on_engine;

on_engine!(elasticsearch_8_19 is ELASTICSEARCH: a_restore_that_is_killed_is_taken_up);

/// Only in the column `restores`.
mod in_column {
    use super::a_restore_that_is_killed_is_taken_up;
    use crate::on_engine;

    on_engine!(of_elasticsearch_7_17 is ELASTICSEARCH_7_17: a_restore_that_is_killed_is_taken_up);
    on_engine!(of_elasticsearch_9_2 is ELASTICSEARCH_9_2: a_restore_that_is_killed_is_taken_up);
    on_engine!(of_opensearch_2_19 is OPENSEARCH: a_restore_that_is_killed_is_taken_up);
    on_engine!(of_opensearch_3_1 is OPENSEARCH_3_1: a_restore_that_is_killed_is_taken_up);
}

/// The kills of one installation, one after the other.
const IN_A_ROW: usize = 5;
/// The setting by which an unfinished restore is known.
const MARK: &str = "index.routing.allocation.exclude.optimize_backup_restore";

/// The same POST again is sent to the same server, started anew, or to another one, in turn.
async fn a_restore_that_is_killed_is_taken_up(distribution: Distribution) -> Result<()> {
    let kills = Kill::all()?;
    let rows = kills.chunks(IN_A_ROW).map(|kills| kills_in_a_row(distribution, kills.to_vec()));
    let phases: Vec<Vec<Phase>> = stream::iter(rows).buffer_unordered(AT_ONCE).try_collect().await?;
    ensure!(phases.iter().flatten().any(Phase::is_unfinished), "no kill came in the middle of a restore");
    Ok(())
}

async fn kills_in_a_row(distribution: Distribution, kills: Vec<Kill>) -> Result<Vec<Phase>> {
    let fixture = Fixture::new(distribution).await?;
    let (client, installation) = (fixture.engine.client(), &fixture.installation);
    let prefix = installation.prefix();
    let nested = Installation::minimal(&fixture.engine, &format!("{prefix}-eu")).await?;
    let others = [nested.import_indices(), nested.other_indices()].concat();
    let options = || fixture.options().token(TOKEN);
    let (mut host, neighbour) = (Host::start(options()).await?, Host::start(options()).await?);
    back_up(&host, ID).await?;
    let (before, before_of_others) = (state(client, prefix).await?, uuids(client, &others).await?);
    change(client, installation).await?;
    let mut whole = time_of(restore(&host, prefix)).await?;
    let mut phases = Vec::new();
    for (number, kill) in kills.into_iter().enumerate() {
        change(client, installation).await?;
        let moment = kill.moment(whole);
        if let Ok(outcome) = timeout(moment, time_of(restore(&host, prefix))).await {
            // The machine is less busy than it was.
            whole = outcome?;
        }
        host.kill().await?;
        let phase = Phase::of(&fixture).await?;
        println!("{kill:?} of a restore, after {moment:?} of {whole:?}: {phase}");
        host = Host::start(options()).await?;
        let next = if number % 2 == 0 { &host } else { &neighbour };
        let what = || format!("{kill:?} after {moment:?}: {phase}");
        restore(next, prefix).await.with_context(what)?;
        assert_eq!(state(client, prefix).await?, before, "{}", what());
        assert_eq!(uuids(client, &others).await?, before_of_others, "{}", what());
        phases.push(phase);
    }
    Ok(phases)
}

async fn restore(host: &Host, prefix: &str) -> Result<()> {
    begin(host, ID, &confirmed(prefix)).await?;
    complete(host, ID).await
}

/// What there is of a restore in the engine.
#[derive(Debug)]
struct Phase {
    all: usize,
    there: usize,
    marks: Vec<String>,
}

impl Phase {
    async fn of(fixture: &Fixture) -> Result<Self> {
        let names = [fixture.installation.import_indices(), fixture.installation.other_indices()].concat();
        let path = format!("/{}/_settings/{MARK}?ignore_unavailable=true&flat_settings=true", names.join(","));
        let marked = fixture.engine.client().get(&path).await?.ok()?;
        let path = format!("/{}/_settings/index.uuid?ignore_unavailable=true", names.join(","));
        let there = fixture.engine.client().get(&path).await?.ok()?;
        let word = |mark: &str| mark.split_once('.').map_or("begun", |(_, word)| word).to_owned();
        let marks = marked.as_object().into_iter().flatten();
        let marks = marks.filter_map(|(_, index)| index["settings"][MARK].as_str()).map(word).collect();
        Ok(Self { all: names.len(), there: there.as_object().map_or(0, serde_json::Map::len), marks })
    }

    /// The installation lacks something, or has what says so. Of the one that was changed one index is missing from the
    /// start.
    fn is_unfinished(&self) -> bool {
        !self.marks.is_empty() || self.there + 1 < self.all
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} indices, marks: {:?}", self.there, self.all, self.marks)
    }
}
