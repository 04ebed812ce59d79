//! Being asked to end: what Ctrl-C sends. SIGTERM is in `lifecycle`.

use anyhow::Result;
use backup_test_support::engine::Distribution;

use crate::on_elasticsearch;
use crate::world::World;

on_elasticsearch!(it_ends_with_0_on_sigint);

async fn it_ends_with_0_on_sigint(distribution: Distribution) -> Result<()> {
    let world = World::slow(distribution).await?;
    let host = world.host().await?;
    host.create(1).await?;
    assert_eq!(host.interrupt().await?.code(), Some(0));
    let host = world.host().await?;
    host.wait_for_state(1, "COMPLETE").await
}
