//! Servers that are killed in a verification: what they leave, another server clears, or the same one started anew.
//!
//! It waits for 90 s without a sign of life before: so some engines have their kills at the same time.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use backup_test_support::poll_until;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;

use super::{back_up, begin, copies, everything, own_engine, passes};
use crate::fixture::Fixture;
use crate::kills::{AT_ONCE, Kill, time_of};

const ID: u64 = 7;
/// Longer than the 90 s, and up to 40 s between two looks before and after them; a look that fails begins anew.
const CLEARED_WITHIN: Duration = Duration::from_secs(240);

/// Only in the columns `kills` and `verifications`.
mod in_column {
    use anyhow::Result;
    use backup_test_support::engine::Distribution;

    use super::what_killed_servers_leave_is_cleared_by_servers;

    #[tokio::test]
    #[ignore = "cargo xtask matrix"]
    async fn of_elasticsearch_8_19() -> Result<()> {
        what_killed_servers_leave_is_cleared_by_servers(Distribution::ELASTICSEARCH).await
    }

    #[tokio::test]
    #[ignore = "cargo xtask matrix"]
    async fn of_opensearch_2_19() -> Result<()> {
        what_killed_servers_leave_is_cleared_by_servers(Distribution::OPENSEARCH).await
    }
}

async fn what_killed_servers_leave_is_cleared_by_servers(distribution: Distribution) -> Result<()> {
    let kills = Kill::tenth()?;
    let rows = kills.chunks(kills.len().div_ceil(AT_ONCE)).map(|kills| kills_in_a_row(distribution, kills.to_vec()));
    let left: Vec<Vec<usize>> = stream::iter(rows).buffer_unordered(AT_ONCE).try_collect().await?;
    ensure!(left.iter().flatten().any(|&left| left > 1), "no kill came in the middle of a verification: {left:?}");
    Ok(())
}

/// How many indices each of them has left.
async fn kills_in_a_row(distribution: Distribution, kills: Vec<Kill>) -> Result<Vec<usize>> {
    let fixture = own_engine(distribution).await?;
    fixture.installation.slow_down_part_one().await?;
    back_up(&fixture, &[ID]).await?;
    // Slow enough to be killed in it.
    fixture.repository.slow_down_restores(150_000).await?;
    let before = everything(&fixture).await?;
    let mut host = fixture.host().await?;
    let mut whole = time_of(verify(&host)).await?;
    let mut all_left = Vec::new();
    for (number, kill) in kills.into_iter().enumerate() {
        // In turn another server, which was there before, and the same one.
        let neighbour = if number % 2 == 0 { Some(fixture.host().await?) } else { None };
        let moment = kill.moment(whole);
        if let Ok(outcome) = timeout(moment, time_of(verify(&host))).await {
            // The machine is less busy than it was.
            whole = outcome?;
        }
        host.kill().await?;
        let (left, killed) = (copies(&fixture).await?, Instant::now());
        let next = if neighbour.is_some() { "another server" } else { "the same server" };
        host = match neighbour {
            Some(neighbour) => neighbour,
            None => fixture.host().await?,
        };
        is_cleared(&fixture, &host, !left.is_empty()).await.with_context(|| format!("{kill:?}: {left:?}"))?;
        println!(
            "{kill:?} of a verification, after {moment:?} of {whole:?}: left: {left:?}; beside {next}, nothing after {:?}",
            killed.elapsed()
        );
        assert_eq!(everything(&fixture).await?, before, "{kill:?}");
        all_left.push(left.len());
    }
    verify(&host).await?;
    assert_eq!(everything(&fixture).await?, before);
    Ok(all_left)
}

async fn verify(host: &Host) -> Result<()> {
    begin(host, ID).await?;
    passes(host, ID).await
}

/// Waits until nothing is left, of which this server tells if it was something.
async fn is_cleared(fixture: &Fixture, host: &Host, was_something: bool) -> Result<()> {
    poll_until("nothing is left", CLEARED_WITHIN, async || Ok(copies(fixture).await?.is_empty().then_some(()))).await?;
    poll_until("the server tells it", Duration::from_secs(20), async || {
        let message = "cleared what a verification has left that nobody drives any more";
        let tells = host.log()?.iter().any(|line| line["message"] == message);
        Ok((tells || !was_something).then_some(()))
    })
    .await
}
