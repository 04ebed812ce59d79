//! A policy that sends, in each of its calls, requests that the call has no grant for.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Result;
use backup_test_hosts::policies::{hostile, ids};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::fault::FaultProxy;
use backup_test_support::fixture;
use backup_test_support::host::{Host, Reply};
use backup_test_support::installation::{Installation, unique_prefix};
use backup_test_support::repository::{Repository, RepositoryOptions};
use serde_json::json;

use crate::fixture::{Fixture, delete, part};
use crate::on_elasticsearch;

on_elasticsearch!(a_hostile_policy_writes_only_what_it_is_asked_for);

/// An installation whose repository has a name that brings the policy to delete on a list.
async fn fixture_on(distribution: Distribution) -> Result<Fixture> {
    let engine = Engine::shared(distribution).await?;
    let prefix = unique_prefix();
    let name = format!("{}-{prefix}", ids::DELETES_ON_LIST);
    let repository = Repository::register_as(&engine, &name, RepositoryOptions::default()).await?;
    let installation = Installation::minimal(&engine, &prefix).await?;
    Ok(Fixture(fixture::Fixture { engine, repository, installation }))
}

fn expect_denial(reply: &Reply) -> Result<()> {
    let body = reply.json()?;
    assert_eq!((reply.status, &body["errorCode"]), (500, &json!("requestNotGranted")), "{body}");
    assert!(body["errorMessage"].as_str().unwrap().contains("is not granted to a call"), "{body}");
    Ok(())
}

async fn a_hostile_policy_writes_only_what_it_is_asked_for(distribution: Distribution) -> Result<()> {
    const RUNS: [u64; 2] = [ids::DELETES_ON_ADVANCE, ids::CREATES_ANOTHER_ON_ADVANCE];
    let fixture = fixture_on(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let folder = tempfile::tempdir()?;
    let policy = folder.path().join("policy.wasm");
    fs::write(&policy, hostile()?)?;
    let options = fixture.options_through(&proxy)?.env("CAMUNDA_OPTIMIZE_POLICY_PATH", &policy.to_string_lossy());
    let host = Host::start(options).await?;
    host.create(ids::VICTIM).await?;
    host.wait_for_state(ids::VICTIM, "COMPLETE").await?;

    expect_denial(&host.get("/actuator/backups").await?)?;
    for id in [ids::DELETES_ON_GET, ids::CREATES_ON_GET] {
        expect_denial(&host.get(&format!("/actuator/backups/{id}")).await?)?;
    }
    for id in [ids::DELETES_ON_CREATE, ids::CREATES_ANOTHER] {
        expect_denial(&host.create(id).await?)?;
    }
    for id in [ids::DELETES_ANOTHER, ids::CREATES_ON_DELETE] {
        expect_denial(&host.delete(&format!("/actuator/backups/{id}")).await?)?;
    }
    for id in RUNS {
        host.create(id).await?;
        host.wait_for_state(id, "COMPLETE").await?;
    }
    let [deleted, kept] = RUNS;
    delete(&host, deleted).await?;

    let left = [ids::VICTIM, kept].map(|id| [part(id, 1), part(id, 2)]).concat();
    assert_eq!(BTreeSet::from_iter(fixture.repository.snapshots().await?), BTreeSet::from_iter(left));
    expect_writes(&proxy, fixture.repository.name(), [ids::VICTIM, deleted, kept], deleted);
    for (operation, words) in [
        ("list", "only reads".to_owned()),
        ("get", "only reads".to_owned()),
        ("create", format!("create for backup {}", ids::CREATES_ANOTHER)),
        ("advance", format!("advance for backup {deleted}")),
        ("delete", format!("delete for backup {}", ids::DELETES_ANOTHER)),
    ] {
        let told = host.output()?;
        let is_told = |line: &str| line.contains("denied a policy's request") && line.contains(&words);
        assert!(told.lines().any(is_told), "no denial of {operation} in the log: {told}");
    }
    Ok(())
}

/// Nothing has come to the engine but the parts of these backups, and the deletion of one of them.
fn expect_writes(proxy: &FaultProxy, repository: &str, made: [u64; 3], deleted: u64) {
    let path = |names: &str| format!("/_snapshot/{repository}/{names}");
    let parts = made.map(|id| [part(id, 1), part(id, 2)]).concat();
    let mut expected: BTreeSet<String> = parts.iter().map(|name| format!("PUT {}", path(name))).collect();
    expected.insert(format!("DELETE {}", path(&format!("{},{}", part(deleted, 1), part(deleted, 2)))));
    let written = proxy.writes().into_iter().map(|request| {
        let path = request.path.split('?').next().unwrap_or_default();
        format!("{} {path}", request.method)
    });
    assert_eq!(written.collect::<BTreeSet<String>>(), expected);
}
