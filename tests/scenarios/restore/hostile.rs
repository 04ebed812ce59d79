//! A policy that asks for more than its restore, in each of its steps, and one that traps there.

use std::fs;

use anyhow::{Result, ensure};
use backup_test_hosts::policies::{hostile, ids};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::FaultProxy;
use backup_test_support::host::Host;
use backup_test_support::installation::{Installation, create_neighbours};
use serde_json::json;

use super::{TOKEN, back_up, begin, change, complete, confirmed, state, uuids};
use crate::fixture::Fixture;
use crate::on_elasticsearch;

on_elasticsearch!(a_hostile_policy_restores_only_what_is_planned);

async fn a_hostile_policy_restores_only_what_is_planned(distribution: Distribution) -> Result<()> {
    /// The last one has the policy withdrawn.
    const IDS: [u64; 4] = [ids::DELETES_IN_PLAN, ids::DELETES_NEIGHBOUR, ids::RESTORES_ALL, ids::TRAPS_IN_EACH_STEP];
    let fixture = Fixture::new(distribution).await?;
    let (client, installation) = (fixture.engine.client(), &fixture.installation);
    let prefix = installation.prefix();
    let nested = Installation::minimal(&fixture.engine, &format!("{prefix}-eu")).await?;
    let mut others = create_neighbours(&fixture.engine, prefix).await?;
    others.extend(nested.import_indices());
    others.extend(nested.other_indices());
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let folder = tempfile::tempdir()?;
    let policy = folder.path().join("policy.wasm");
    fs::write(&policy, hostile()?)?;
    let options = fixture.options_through(&proxy)?.token(TOKEN);
    let host = Host::start(options.env("CAMUNDA_OPTIMIZE_POLICY_PATH", &policy.to_string_lossy())).await?;
    for id in IDS {
        back_up(&host, id).await?;
    }
    let (before, before_of_others) = (state(client, prefix).await?, uuids(client, &others).await?);
    for id in IDS {
        change(client, installation).await?;
        begin(&host, id, &confirmed(prefix)).await?;
        complete(&host, id).await?;
        assert_eq!(state(client, prefix).await?, before, "{id}");
        assert_eq!(uuids(client, &others).await?, before_of_others, "{id}");
    }
    let policy = host.get("/actuator/policy").await?.json()?;
    ensure!(policy["withdrawn"] != json!([]), "it was not withdrawn: {policy}");

    let own = [installation.import_indices(), installation.other_indices()].concat();
    for write in proxy.writes().iter().filter(|write| !write.path.starts_with("/_snapshot/")) {
        let names = write.path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default();
        assert!(names.split(',').all(|name| own.iter().any(|own| own == name)), "{} {}", write.method, write.path);
    }
    Ok(())
}
