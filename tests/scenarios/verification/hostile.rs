//! A policy that asks for more than its verification, in each of its steps and while it clears.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use backup_test_hosts::policies::{hostile, ids};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::FaultProxy;
use backup_test_support::host::Host;
use backup_test_support::installation::{Installation, create_neighbours};
use backup_test_support::poll_until;

use super::{back_up, begin, copies, everything, own_engine, passes};
use crate::fault_table::verifications::expect_only_copies_written;
use crate::fixture::part;
use crate::on_elasticsearch;

on_elasticsearch!(a_hostile_policy_touches_nothing_but_copies);

const IDS: [u64; 2] = [ids::VERIFIES_OTHERS, ids::COPIES_OTHERS];
/// By default a call may send fewer, so that it would never get to the last of them.
const ENGINE_CALLS: [&str; 2] = ["CAMUNDA_OPTIMIZE_POLICY_MAX_ENGINE_CALLS", "1000"];

async fn a_hostile_policy_touches_nothing_but_copies(distribution: Distribution) -> Result<()> {
    let fixture = own_engine(distribution).await?;
    let prefix = fixture.installation.prefix();
    create_neighbours(&fixture.engine, prefix).await?;
    Installation::minimal(&fixture.engine, &format!("{prefix}-eu")).await?;
    let all = [IDS[0], IDS[1], ids::VICTIM];
    back_up(&fixture, &all).await?;
    let before = everything(&fixture).await?;
    let snapshots = all.map(|id| [part(id, 1), part(id, 2)]).concat();
    let folder = tempfile::tempdir()?;
    let policy = folder.path().join("policy.wasm");
    fs::write(&policy, hostile()?)?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let options = fixture.options_through(&proxy)?.env(ENGINE_CALLS[0], ENGINE_CALLS[1]);
    let host = Host::start(options.env("CAMUNDA_OPTIMIZE_POLICY_PATH", &policy.to_string_lossy())).await?;
    for id in IDS {
        begin(&host, id).await?;
        passes(&host, id).await?;
        assert_eq!(everything(&fixture).await?, before, "{id}");
    }

    // It clears what it has made.
    begin(&host, ids::VERIFIES_OTHERS).await?;
    poll_until("a copy", Duration::from_secs(60), async || Ok((copies(&fixture).await?.len() > 1).then_some(())))
        .await?;
    let told = host.output()?;
    ensure!(told.contains("denied a policy's request"), "{told}");
    host.terminate().await?;
    assert_eq!(everything(&fixture).await?, before, "while it was cleared");

    assert_eq!(fixture.repository.snapshots().await?, snapshots);
    ensure!(
        fixture
            .engine
            .client()
            .get("/_cluster/settings?filter_path=persistent.cluster.blocks")
            .await?
            .ok()?
            .get("persistent")
            .is_none()
    );
    expect_only_copies_written(&proxy.writes())
}
