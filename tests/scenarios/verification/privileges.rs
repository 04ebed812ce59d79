//! What a user of the engine needs for a verification: docs/reference/privileges.md.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::repository::RepositoryOptions;
use backup_test_support::{fixture, poll_until};
use serde_json::{Value, json};

use super::{begin, copies, everything, passes, path};
use crate::fixture::Fixture;
use crate::lifecycle::accept;

const ID: u64 = 7;
const PASSWORD: &str = "a password";
const CLUSTER: [&str; 3] = ["monitor", "create_snapshot", "cluster:admin/snapshot/restore"];
const ON_COPIES: [&str; 5] = ["create_index", "delete_index", "monitor", "read", "indices:admin/settings/update"];
/// Grants some of what `monitor` does.
const IN_ITS_PLACE: &str = "view_index_metadata";
/// With this one, what has no right is tried again until it is given up.
const TO_THE_END: &str = "read";
/// The lock is counted up after 20 s.
const NEEDED_LATER: &str = "indices:admin/settings/update";

/// Only in the column `verifications`.
mod in_column {
    use anyhow::Result;
    use backup_test_support::engine::Distribution;

    #[tokio::test]
    #[ignore = "cargo xtask matrix"]
    async fn of_elasticsearch_8_19() -> Result<()> {
        super::each_privilege_is_needed(Distribution::ELASTICSEARCH).await
    }
}

async fn each_privilege_is_needed(distribution: Distribution) -> Result<()> {
    let engine = Arc::new(Engine::start_secured(distribution, PASSWORD).await?);
    let fixture = Fixture(fixture::Fixture::on(engine, RepositoryOptions::default()).await?);
    fixture.installation.slow_down_part_one().await?;
    let admin = Host::start(login(&fixture, "elastic", PASSWORD)).await?;
    accept(&admin, ID).await?;
    admin.wait_for_state(ID, "COMPLETE").await?;
    admin.terminate().await?;
    let before = everything(&fixture).await?;

    let on_copies =
        ON_COPIES.into_iter().map(|missing| (role(&fixture, &CLUSTER, &without(&ON_COPIES, missing)), missing));
    let of_cluster =
        CLUSTER.into_iter().map(|missing| (role(&fixture, &without(&CLUSTER, missing), &ON_COPIES), missing));
    let in_its_place = [without(&ON_COPIES, "monitor"), vec![IN_ITS_PLACE]].concat();
    let lacking: Vec<(Value, &str)> = [(role(&fixture, &CLUSTER, &ON_COPIES), "nothing")]
        .into_iter()
        .chain(of_cluster)
        .chain(on_copies)
        .chain([(role(&fixture, &CLUSTER, &in_its_place), "monitor")])
        .collect();
    let names: Vec<String> = (0..lacking.len()).map(|number| format!("verifier{number}")).collect();
    let users: Vec<(&str, Value)> =
        names.iter().zip(&lacking).map(|(name, (role, _))| (name.as_str(), role.clone())).collect();
    let password = fixture.engine.add_users(&users).await?;
    for (user, (_, missing)) in names.iter().zip(lacking).skip(1) {
        if missing == NEEDED_LATER {
            fixture.repository.slow_down_restores(20_000).await?;
        }
        let host = Host::start(login(&fixture, user, password)).await?;
        expect_complaint(&host, missing).await?;
        host.terminate().await?;
        let left = copies(&fixture).await?;
        println!("without {missing}: {left:?} left");
        ensure!(left.is_empty() || missing == "delete_index", "without {missing}: {left:?} left");
        for index in left {
            fixture.engine.client().delete(&format!("/{index}")).await?.ok()?;
        }
        fixture.repository.slow_down_restores(100_000_000).await?;
    }
    let host = Host::start(login(&fixture, "verifier0", password)).await?;
    begin(&host, ID).await?;
    passes(&host, ID).await?;
    assert_eq!(everything(&fixture).await?, before);
    Ok(())
}

/// The settings of a host that is this user of the engine.
fn login(fixture: &Fixture, user: &str, password: &str) -> HostOptions {
    let options = fixture.options().env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_USERNAME", user);
    options.env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD", password)
}

fn without<'a>(all: &[&'a str], missing: &str) -> Vec<&'a str> {
    all.iter().filter(|name| **name != missing).copied().collect()
}

fn role(fixture: &Fixture, cluster: &[&str], on_copies: &[&str]) -> Value {
    let own = format!("{}-*", fixture.installation.prefix());
    json!({
        "cluster": cluster,
        "indices": [
            {"names": [own], "privileges": ["view_index_metadata", "read"]},
            {"names": ["optimize-backup-verify-*"], "privileges": on_copies},
        ],
    })
}

/// As the engine lists what would grant an action, and names the action, or in the server's own words. "read" alone is in many.
fn is_named(text: &str, privilege: &str) -> bool {
    let mut listed = text.split(['[', ']', ',']);
    listed.any(|name| name.trim() == privilege) || text.contains(&format!("the privilege {privilege} on"))
}

/// The POST is refused, or the verification says why it does not go on. No check of the backup fails.
async fn expect_complaint(host: &Host, missing: &str) -> Result<()> {
    let reply = host.request("POST", &path(ID), &[], String::new()).await?;
    if reply.status != 202 {
        println!("without {missing}: {} {}", reply.status, reply.text);
        let code = reply.json()?["errorCode"].take();
        ensure!(code == "engineAccessDenied" || code == "backupNotVerifiable", "without {missing}: {}", reply.text);
        ensure!(is_named(&reply.text, missing), "{missing} is not named: {}", reply.text);
        return Ok(());
    }
    poll_until("what it lacks", Duration::from_secs(240), async || {
        let told = host.get(&path(ID)).await?.json()?;
        ensure!(told["state"] != "PASSED", "nothing is amiss without {missing}: {told}");
        let checks = told["checks"].as_array().into_iter().flatten();
        ensure!(checks.clone().all(|check| check["outcome"] != "FAILED"), "without {missing}: {told}");
        let (next, reason) = (told["nextStep"].as_str(), told["failureReason"].as_str());
        if let Some(reason) = reason {
            println!("without {missing}: {told}");
            ensure!(reason.starts_with("it could not be carried out"), "without {missing}: {told}");
            ensure!(is_named(reason, missing), "{missing} is not named: {told}");
            return Ok(Some(()));
        }
        let is_told = next.is_some_and(|text| is_named(text, missing)) && missing != TO_THE_END;
        if is_told {
            println!("without {missing}: {told}");
        }
        Ok(is_told.then_some(()))
    })
    .await
}
