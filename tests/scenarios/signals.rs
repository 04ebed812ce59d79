//! SIGINT, as Ctrl-C sends it, ends the host. SIGTERM is in `lifecycle`.

use anyhow::Result;
use backup_test_support::engine::Distribution;

use crate::fixture::Fixture;
use crate::on_elasticsearch;

on_elasticsearch!(it_ends_with_0_on_sigint);

async fn it_ends_with_0_on_sigint(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let host = fixture.host().await?;
    host.create(1).await?;
    assert_eq!(host.interrupt().await?.code(), Some(0));
    let host = fixture.host().await?;
    host.wait_for_state(1, "COMPLETE").await
}
