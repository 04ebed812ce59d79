//! Several hosts side by side.

use std::time::Duration;

use anyhow::{Context, Result};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use futures::future::try_join_all;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;

use crate::fixture::{Fixture, part, run_ended};
use crate::kills::{AT_ONCE, Kill, Phase, ensure_one_came_before_the_end, time_of};
use crate::lifecycle::accept;
use crate::{in_host, on_every_engine};

on_every_engine!(
    racing_hosts_make_each_backup_once,
    hosts_racing_over_part_two_write_it_once,
    a_neighbour_resumes_after_kills,
);

in_host!(
    wasmtime: racing_hosts_make_each_backup_once,
    hosts_racing_over_part_two_write_it_once,
    a_neighbour_resumes_after_kills,
);
in_host!(
    jco_on_node: hosts_racing_over_part_two_write_it_once,
    a_neighbour_resumes_after_kills,
);

async fn racing_hosts_make_each_backup_once(distribution: Distribution) -> Result<()> {
    const IDS: u64 = 20;
    let fixture = Fixture::new(distribution).await?;
    let (first, second) = (fixture.host().await?, fixture.host().await?);

    let requests = (0..200).map(|n| [&first, &second][n as usize % 2].create(1 + n / 2 % IDS));
    let replies = try_join_all(requests).await?;

    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(202), count(409)), (20, 180));
    for id in 1..=IDS {
        second.wait_for_state(id, "COMPLETE").await?;
    }
    let mut expected: Vec<String> = (1..=IDS).flat_map(|id| [part(id, 1), part(id, 2)]).collect();
    let mut found = fixture.repository.snapshots().await?;
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    Ok(())
}

async fn hosts_racing_over_part_two_write_it_once(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let options = fixture.options_through(&proxy)?;
    let first = Host::start(options.clone()).await?;
    first.create(1).await?;
    // A host that starts part 2 is held up until the others do, too.
    proxy.add(When::get("/_resolve/"), Fault::delay(Duration::from_secs(5)));
    // These hosts find the backup in progress and drive it as well.
    let (second, third) = (Host::start(options.clone()).await?, Host::start(options).await?);

    // Other hosts drive it with each request about it.
    let ends = [&first, &second, &third].map(async |host| {
        run_ended(host).await?;
        host.wait_for_state(1, "COMPLETE").await
    });
    try_join_all(ends).await?;

    let attempts = proxy.writes().iter().filter(|write| write.path.contains("_part_2_of_2")).count();
    assert!(attempts > 1, "there was no race");
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
    Ok(())
}

/// Wherever the kill hits: in part 1, in the gap, in part 2, after the end. Each killed host has an installation and a
/// neighbour of its own, and is not started again: only the neighbour can resume the backup.
async fn a_neighbour_resumes_after_kills(distribution: Distribution) -> Result<()> {
    let kills = stream::iter(Kill::all()?).map(|kill| accept_and_be_killed(distribution, kill));
    let left_alone: Vec<LeftAlone> = kills.buffer_unordered(AT_ONCE).try_collect().await?;
    try_join_all(left_alone.iter().map(LeftAlone::resumes)).await?;
    ensure_one_came_before_the_end(left_alone.iter().map(|left_alone| left_alone.phase))
}

/// The neighbour of a host that was killed, which was there before the backup.
struct LeftAlone {
    fixture: Fixture,
    neighbour: Host,
    kill: Kill,
    phase: Phase,
}

async fn accept_and_be_killed(distribution: Distribution, kill: Kill) -> Result<LeftAlone> {
    let fixture = Fixture::new(distribution).await?;
    let (neighbour, host) = (fixture.host().await?, fixture.host().await?);
    accept(&host, 1).await?;
    let moment = kill.moment(time_of(host.wait_for_state(1, "COMPLETE")).await?);
    accept(&host, 2).await?;
    if let Ok(outcome) = timeout(moment, host.wait_for_state(2, "COMPLETE")).await {
        outcome?;
    }
    let phase = kill.hit(host, &fixture, 2, moment).await?;
    Ok(LeftAlone { fixture, neighbour, kill, phase })
}

impl LeftAlone {
    async fn resumes(&self) -> Result<()> {
        let complete = self.neighbour.wait_for_state(2, "COMPLETE").await;
        complete.with_context(|| format!("{:?} {}", self.kill, self.phase))?;
        let expected = [part(1, 1), part(1, 2), part(2, 1), part(2, 2)];
        assert_eq!(self.fixture.repository.snapshots().await?, expected, "{:?} {}", self.kill, self.phase);
        Ok(())
    }
}
