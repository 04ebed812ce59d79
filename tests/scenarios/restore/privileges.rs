//! What a user of the engine needs for a restore: docs/reference/privileges.md.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use backup_test_support::engine::Engine;
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::installation::Installation;
use backup_test_support::poll_until;
use serde_json::{Value, json};

use super::{ID, TOKEN, back_up, begin, change, complete, confirmed, post, state};
use crate::fixture::Fixture;

const RESTORE: &str = "cluster:admin/snapshot/restore";
const CLUSTER: [&str; 3] = ["monitor", "create_snapshot", RESTORE];
const INDICES: [&str; 5] = ["view_index_metadata", "read", "monitor", "delete_index", "indices:admin/settings/update"];

/// A user with the role, and those who lack one of its privileges.
pub(crate) async fn each_privilege_of_a_restore_is_needed(
    engine: &Engine,
    options: &HostOptions,
    installation: &Installation,
) -> Result<()> {
    let prefix = installation.prefix();
    let admin = Host::start(options.clone().token(TOKEN)).await?;
    back_up(&admin, ID).await?;
    let before = state(engine.client(), prefix).await?;
    let role = |missing: &str| {
        let granted =
            |all: &[&str]| all.iter().filter(|name| **name != missing).map(|name| json!(name)).collect::<Value>();
        let indices = json!([{"names": [format!("{prefix}-*")], "privileges": granted(&INDICES)}]);
        json!({"cluster": granted(&CLUSTER), "indices": indices})
    };
    let lacking: Vec<&str> = CLUSTER.into_iter().chain(INDICES).collect();
    let names: Vec<String> = (0..=lacking.len()).map(|number| format!("restorer{number}")).collect();
    let users: Vec<(&str, Value)> =
        names.iter().map(String::as_str).zip(["nothing"].into_iter().chain(lacking.clone()).map(role)).collect();
    let password = engine.add_users(&users).await?;
    let host_of = async |user: &str| {
        let options = options.clone().token(TOKEN);
        let options = options.env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_USERNAME", user);
        Host::start(options.env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD", password)).await
    };
    for (user, missing) in names.iter().skip(1).zip(lacking) {
        change(engine.client(), installation).await?;
        let host = host_of(user).await?;
        let changed = whole_state(engine, installation).await?;
        expect_complaint(&host, prefix, missing).await?;
        if missing == RESTORE {
            ensure!(whole_state(engine, installation).await? == changed, "something is changed without {missing}");
        }
        host.kill().await?;
        begin(&admin, ID, &confirmed(prefix)).await?;
        complete(&admin, ID).await?;
    }
    change(engine.client(), installation).await?;
    let host = host_of("restorer0").await?;
    let plan = post(&host, ID, &json!({"dryRun": true, "override": ["optimizeIsWriting"]})).await?.json()?;
    ensure!(plan["canBegin"] == true && plan["findings"] == json!([]), "{plan}");
    begin(&host, ID, &confirmed(prefix)).await?;
    complete(&host, ID).await?;
    assert_eq!(state(engine.client(), prefix).await?, before);
    Ok(())
}

/// It is refused, or what could not be checked is told, or it says why it does not go on.
async fn expect_complaint(host: &Host, prefix: &str, missing: &str) -> Result<()> {
    let plan = post(host, ID, &json!({"dryRun": true, "override": ["optimizeIsWriting"]})).await?;
    if plan.status != 200 {
        ensure!(plan.text.contains("engineAccessDenied"), "without {missing}: {} {}", plan.status, plan.text);
        return Ok(());
    }
    if plan.text.contains("notChecked") {
        return Ok(());
    }
    begin(host, ID, &confirmed(prefix)).await?;
    poll_until(&format!("the lack of {missing}"), Duration::from_secs(60), async || {
        let told = host.get(&format!("/actuator/backups/{ID}/restore")).await?.text;
        ensure!(!told.contains(r#""state":"COMPLETE""#), "nothing is amiss without {missing}: {told}");
        let names_it = missing != RESTORE || told.contains(RESTORE);
        Ok((told.contains("refused access") && names_it).then_some(()))
    })
    .await
}

/// The UUIDs of the installation's indices, their settings with the marks, and what is in them.
async fn whole_state(engine: &Engine, installation: &Installation) -> Result<(Value, BTreeMap<String, Value>)> {
    let prefix = installation.prefix();
    let settings = engine.client().get(&format!("/{prefix}-*/_settings?expand_wildcards=all")).await?.ok()?;
    Ok((settings, state(engine.client(), prefix).await?))
}

const ON_OWN: [&str; 3] = ["view_index_metadata", "read", "monitor"];
const ON_OTHER: [&str; 5] =
    ["view_index_metadata", "read", "monitor", "indices:admin/settings/update", "indices:admin/aliases"];

/// A user who may restore a backup beside the installation, and those who lack one privilege on the other prefix.
pub(crate) async fn each_privilege_of_a_restore_beside_is_needed(
    fixture: &Fixture,
    admin: &HostOptions,
    id: u64,
) -> Result<()> {
    let (client, prefix) = (fixture.engine.client(), fixture.installation.prefix());
    let other = format!("beside-{prefix}");
    let role = |missing: &str| {
        let granted = ON_OTHER.into_iter().filter(|name| *name != missing).collect::<Vec<_>>();
        let indices = json!([
            {"names": [format!("{prefix}-*")], "privileges": ON_OWN},
            {"names": [format!("{other}-*")], "privileges": granted},
        ]);
        json!({"cluster": CLUSTER, "indices": indices})
    };
    let lacking = ["nothing"].into_iter().chain(ON_OTHER);
    let users: Vec<(String, &str)> =
        lacking.enumerate().map(|(number, missing)| (format!("beside{number}"), missing)).collect();
    let roles: Vec<(&str, Value)> = users.iter().map(|(user, missing)| (user.as_str(), role(missing))).collect();
    let password = fixture.engine.add_users(&roles).await?;
    let before = state(client, prefix).await?;
    let body = json!({"dryRun": false, "renamePrefix": other, "confirm": prefix, "override": ["optimizeIsWriting"]});
    let path = format!("/actuator/backups/{id}/restore?renamePrefix={other}");
    for (user, missing) in users.iter().rev() {
        let options = admin.clone().token(TOKEN).env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_USERNAME", user);
        let options = options.env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD", password);
        let host = Host::start(options).await?;
        let reply = post(&host, id, &body).await?;
        println!("beside, without {missing}: {} {}", reply.status, reply.text);
        if reply.status == 202 {
            poll_until("the restore ends, or tells what it lacks", Duration::from_secs(60), async || {
                let told = host.get(&path).await?;
                let is_complete = told.text.contains(r#""state":"COMPLETE""#);
                ensure!(is_complete <= (*missing == "nothing"), "nothing is amiss without {missing}: {}", told.text);
                let is_told = is_complete || told.text.contains(missing);
                if is_told {
                    println!("beside, without {missing}: {}", told.text);
                }
                Ok(is_told.then_some(()))
            })
            .await?;
        } else {
            ensure!(*missing != "nothing" && reply.text.contains(missing), "without {missing}: {}", reply.text);
        }
        host.kill().await?;
        if *missing == "nothing" {
            assert_eq!(state(client, &other).await?.len(), before.len());
        }
        let found = client.get(&format!("/{other}-*/_settings/index.uuid")).await?.ok()?;
        for index in found.as_object().into_iter().flatten().map(|(name, _)| name) {
            client.delete(&format!("/{index}")).await?.ok()?;
        }
        assert_eq!(state(client, prefix).await?, before);
    }
    Ok(())
}
