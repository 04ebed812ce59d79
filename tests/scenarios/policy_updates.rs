//! Replacing the policy of a host while it makes a backup.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use backup_test_hosts::policies::embedded_as;
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use backup_test_support::poll_until;
use serde_json::json;

use crate::fixture::{Fixture, part};
use crate::on_elasticsearch;

on_elasticsearch!(
    a_backup_ends_complete_though_the_policy_is_replaced_meanwhile,
    the_same_policy_beside_the_serving_one_answers_the_same,
);

const TIMEOUT: Duration = Duration::from_secs(60);

/// Replaces the policy's file by a rename.
pub(crate) fn put(path: &Path, version: &str) -> Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, embedded_as(version))?;
    Ok(fs::rename(new, path)?)
}

pub(crate) async fn serving(host: &Host) -> Result<(u64, String)> {
    let serving = host.get("/actuator/policy").await?.json()?["serving"].clone();
    Ok((serving["generation"].as_u64().unwrap_or_default(), serving["version"].as_str().unwrap_or_default().to_owned()))
}

async fn a_backup_ends_complete_though_the_policy_is_replaced_meanwhile(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("policy.wasm");
    put(&path, "7.0.0")?;
    let options = fixture.options().env("CAMUNDA_OPTIMIZE_POLICY_PATH", &path.to_string_lossy());
    let host = Host::start(options).await?;
    assert_eq!(serving(&host).await?, (1, "7.0.0".to_owned()));

    host.create(1).await?;
    put(&path, "8.0.0")?;
    let is_exchanged = async || Ok((serving(&host).await? == (2, "8.0.0".to_owned())).then_some(()));
    poll_until("the new policy", TIMEOUT, is_exchanged).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1), part(1, 2)]);

    // A file that is no policy is refused, and the policy stays.
    fs::write(&path, "no component")?;
    let is_refused = async || {
        let candidate = host.get("/actuator/policy").await?.json()?["lastCandidate"]["admitted"].clone();
        Ok((candidate == json!(false)).then_some(()))
    };
    poll_until("the refusal", TIMEOUT, is_refused).await?;
    assert_eq!(serving(&host).await?, (2, "8.0.0".to_owned()));
    assert_eq!(host.get("/actuator/backups/1").await?.status, 200);
    Ok(())
}

async fn the_same_policy_beside_the_serving_one_answers_the_same(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = Host::start(fixture.options().token("open-sesame-open-sesame")).await?;
    let begun = host.request("PUT", "/actuator/policy/shadow?for=1h", &[], embedded_as("8.0.0")).await?;
    assert_eq!(begun.status, 200, "{}", begun.text);

    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(host.get("/actuator/backups").await?.status, 200);
    assert_eq!(host.get("/actuator/backups/2").await?.status, 404);
    let ended = host.request("DELETE", "/actuator/policy/shadow", &[], "").await?;
    assert_eq!(ended.status, 200, "{}", ended.text);
    let is_done = async || {
        let shadow = host.get("/actuator/policy").await?.json()?["shadow"].clone();
        Ok(Some(shadow).filter(|shadow| shadow["calls"].as_u64() >= Some(3)))
    };
    let shadow = poll_until("the calls of the shadow", TIMEOUT, is_done).await?;
    assert_eq!((&shadow["calls"], &shadow["examples"]), (&shadow["same"], &json!([])), "{shadow}");
    assert_eq!(serving(&host).await?.0, 1);
    Ok(())
}
