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
