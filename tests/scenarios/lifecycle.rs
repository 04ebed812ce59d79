//! Starting, stopping, being killed.

use anyhow::Result;
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;

use crate::on_every_engine;
use crate::world::{World, part};

on_every_engine!(a_killed_host_is_replaced_by_its_restart, too_late_a_restart_leaves_it_incomplete);

#[tokio::test]
async fn it_ends_with_0_on_sigterm() -> Result<()> {
    let world = World::slow(Distribution::ELASTICSEARCH).await?;
    let host = world.host().await?;
    host.create(1).await?;
    assert_eq!(host.terminate().await?.code(), Some(0));
    let host = world.host().await?;
    host.wait_for_state(1, "COMPLETE").await
}

async fn a_killed_host_is_replaced_by_its_restart(distribution: Distribution) -> Result<()> {
    let world = World::slow(distribution).await?;
    let host = world.host().await?;
    host.create(1).await?;
    host.kill().await?;

    let host = world.host().await?;
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(world.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
    Ok(())
}

async fn too_late_a_restart_leaves_it_incomplete(distribution: Distribution) -> Result<()> {
    let world = World::slow(distribution).await?;
    let options = || world.options().env("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "1ms");
    let host = Host::start(options()).await?;
    host.create(1).await?;
    host.kill().await?;
    world.finished(&part(1, 1)).await?;

    let host = Host::start(options()).await?;
    host.wait_for_state(1, "INCOMPLETE").await?;
    let reason = host.get("/actuator/backups/1").await?.json()?["failureReason"].to_string();
    assert!(reason.contains("part 2 of 2 is missing"), "{reason}");
    assert_eq!(world.repository.snapshots().await?, [part(1, 1)]);
    Ok(())
}
