//! Several hosts side by side.

use anyhow::Result;
use backup_test_support::engine::Distribution;
use futures::future::try_join_all;

use crate::on_every_engine;
use crate::world::{World, part};

on_every_engine!(racing_hosts_make_each_backup_once, a_neighbour_goes_on_with_a_killed_hosts_backup);

async fn racing_hosts_make_each_backup_once(distribution: Distribution) -> Result<()> {
    const IDS: u64 = 20;
    let world = World::new(distribution).await?;
    let (first, second) = (world.host().await?, world.host().await?);

    let requests = (0..200).map(|n| [&first, &second][n as usize % 2].create(1 + n / 2 % IDS));
    let replies = try_join_all(requests).await?;

    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(202), count(409)), (20, 180));
    for id in 1..=IDS {
        second.wait_for_state(id, "COMPLETE").await?;
    }
    let mut expected: Vec<String> = (1..=IDS).flat_map(|id| [part(id, 1), part(id, 2)]).collect();
    let mut found = world.repository.snapshots().await?;
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    Ok(())
}

async fn a_neighbour_goes_on_with_a_killed_hosts_backup(distribution: Distribution) -> Result<()> {
    let world = World::slow(distribution).await?;
    let (first, second) = (world.host().await?, world.host().await?);
    first.create(1).await?;
    first.kill().await?;
    second.wait_for_state(1, "COMPLETE").await
}
