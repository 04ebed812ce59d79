//! Deleting backups, also while they are being made.

use std::time::{Duration, Instant};

use anyhow::Result;
use backup_test_support::engine::Distribution;

use crate::on_every_engine;
use crate::world::{World, delete, part};

on_every_engine!(
    deleting_what_is_not_there_is_done,
    a_backup_deleted_while_it_is_made_does_not_come_back,
    parts_without_a_whole_can_be_deleted,
);

async fn deleting_what_is_not_there_is_done(distribution: Distribution) -> Result<()> {
    let world = World::new(distribution).await?;
    let host = world.host().await?;
    host.create(2).await?;
    host.wait_for_state(2, "COMPLETE").await?;
    for id in [1, 22, 9_223_372_036_854_775_807_u64] {
        assert_eq!(host.delete(&format!("/actuator/backups/{id}")).await?.status, 204);
    }
    host.wait_for_state(2, "COMPLETE").await
}

async fn a_backup_deleted_while_it_is_made_does_not_come_back(distribution: Distribution) -> Result<()> {
    let world = World::slow(distribution).await?;
    let host = world.host().await?;
    host.create(1).await?;
    host.wait_for_state(1, "IN_PROGRESS").await?;

    let started = Instant::now();
    assert_eq!(host.delete("/actuator/backups/1").await?.status, 204);
    assert!(started.elapsed() < Duration::from_secs(20), "the 204 waited for the engine: {:?}", started.elapsed());

    let repeated = host.create(1).await?;
    assert!(matches!(repeated.status, 202 | 409), "{}", repeated.text);
    if repeated.status == 409 {
        assert_eq!(repeated.json()?["errorCode"], "backupBeingDeleted");
        delete(&host, 1).await?;
        assert!(world.repository.snapshots().await?.is_empty());
        assert_eq!(host.get("/actuator/backups/1").await?.status, 404);
        assert_eq!(host.create(1).await?.status, 202);
    }
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(world.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
    Ok(())
}

async fn parts_without_a_whole_can_be_deleted(distribution: Distribution) -> Result<()> {
    let world = World::new(distribution).await?;
    let other_version = part(1, 2).replace("8.6.0", "8.5.0");
    for name in [part(1, 2), other_version, part(11, 1)] {
        world.write_snapshot(&name, &world.installation.import_indices(), false).await?;
    }
    let host = world.host().await?;
    delete(&host, 1).await?;
    assert_eq!(world.repository.snapshots().await?, [part(11, 1)]);
    Ok(())
}
