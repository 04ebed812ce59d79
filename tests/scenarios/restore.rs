//! Restores on real engines: what was there comes back, compared and not counted, and nothing else changes.

mod contents;
mod hostile;
mod interrupted;
mod kills;
mod privileges;
mod refused;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::host::{Host, HostOptions, Reply};
use backup_test_support::installation::{Installation, create_neighbours, unique_prefix};
use backup_test_support::poll_until;
use serde_json::{Value, json};
use tokio::process::Command;

pub(crate) use self::contents::{change, state, uuids};
pub(crate) use self::privileges::each_privilege_of_a_restore_is_needed;
use crate::command_line::{Ended, ended, program};
use crate::fixture::Fixture;
use crate::kills::Kill;
use crate::lifecycle::accept;
use crate::{on_elasticsearch, on_every_engine};

on_every_engine!(everything_comes_back_and_nothing_else_changes);
on_elasticsearch!(
    a_command_that_is_killed_at_any_moment_is_taken_up_by_the_same_one,
    lost_data_ends_the_restore_before_more_is_deleted,
);

const ID: u64 = 7;
/// Of the admin: nobody else may restore.
pub(crate) const TOKEN: &str = "open-sesame-open-sesame";
/// Much longer than a restore takes, also on a busy machine.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(300);

/// A restore that is meant, and does not look for writers, which takes its time.
pub(crate) fn confirmed(prefix: &str) -> Value {
    json!({"dryRun": false, "confirm": prefix, "override": ["optimizeIsWriting"]})
}

pub(crate) async fn post(host: &Host, id: u64, body: &Value) -> Result<Reply> {
    let json = [("content-type", "application/json")];
    host.request("POST", &format!("/actuator/backups/{id}/restore"), &json, body.to_string()).await
}

/// Begins a restore.
pub(crate) async fn begin(host: &Host, id: u64, body: &Value) -> Result<()> {
    let reply = post(host, id, body).await?;
    ensure!(reply.status == 202, "{}: {}", reply.status, reply.text);
    Ok(())
}

pub(crate) async fn standing(host: &Host, id: u64) -> Result<Value> {
    let reply = host.get(&format!("/actuator/backups/{id}/restore")).await?;
    ensure!(reply.status == 200, "{}: {}", reply.status, reply.text);
    reply.json()
}

/// Waits until a restore is complete; fails when it has failed.
pub(crate) async fn complete(host: &Host, id: u64) -> Result<()> {
    poll_until("the restore is complete", RESTORE_TIMEOUT, async || {
        let restore = standing(host, id).await?;
        ensure!(restore["state"] != "FAILED", "{restore}");
        Ok((restore["state"] == "COMPLETE").then_some(()))
    })
    .await
}

/// Makes a backup.
async fn back_up(host: &Host, id: u64) -> Result<()> {
    accept(host, id).await?;
    host.wait_for_state(id, "COMPLETE").await
}

/// The command where no server runs. It does not look for writers, which takes its time.
fn command(options: &HostOptions, arguments: &[&str]) -> Command {
    let mut command = program(&["backup", "restore", &ID.to_string(), "--local", "--override", "optimizeIsWriting"]);
    command.args(arguments).envs(options.variables());
    command
}

async fn restore(options: &HostOptions, arguments: &[&str]) -> Result<String> {
    let Ended { code, output, errors } = ended(command(options, arguments).spawn()?).await?;
    ensure!(code == Some(0), "status {code:?}\n{output}\n{errors}");
    Ok(output)
}

async fn everything_comes_back_and_nothing_else_changes(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let (client, prefix) = (fixture.engine.client(), fixture.installation.prefix());
    let nested = Installation::minimal(&fixture.engine, &format!("{prefix}-eu")).await?;
    let mut others = create_neighbours(&fixture.engine, prefix).await?;
    others.extend(nested.import_indices());
    others.extend(nested.other_indices());
    let host = fixture.host().await?;
    accept(&host, ID).await?;
    host.wait_for_state(ID, "COMPLETE").await?;
    host.terminate().await?;
    let (before, before_of_others) = (state(client, prefix).await?, uuids(client, &others).await?);
    change(client, &fixture.installation).await?;
    let changed = state(client, prefix).await?;
    ensure!(before != changed, "nothing was changed");

    let options = fixture.options();
    let plan = restore(&options, &["--dry-run"]).await?;
    assert!(plan.lines().any(|line| line.starts_with("replaced\t2\t")), "{plan}");
    assert!(plan.lines().any(|line| line.starts_with("restored\t2\t")), "{plan}");
    assert!(plan.contains(&format!("leftAlone\t-\t-\t{prefix}-eu-settings_v3")), "{plan}");
    assert_eq!(state(client, prefix).await?, changed, "a plan changes nothing");

    let beside = unique_prefix();
    restore(&options, &["--yes", "--rename-prefix", &beside]).await?;
    let of_beside = state(client, &beside).await?;
    let own = |state: &BTreeMap<String, Value>| {
        let own = state.iter().filter(|(name, _)| !name.starts_with("eu-"));
        own.map(|(name, index)| (name.clone(), index["documents"].clone())).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(own(&of_beside), own(&before));
    for (name, index) in &of_beside {
        assert_eq!(index["aliases"], before[name]["aliases"], "{name}");
    }
    assert_eq!(state(client, prefix).await?, changed, "the living one is as it was");

    let output = restore(&options, &["--yes"]).await?;
    assert!(output.contains("start Optimize 8.6.0"), "{output}");
    assert_eq!(state(client, prefix).await?, before);
    assert_eq!(uuids(client, &others).await?, before_of_others);
    for name in of_beside.keys() {
        client.delete(&format!("/{beside}-{name}")).await?.ok()?;
    }
    Ok(())
}

async fn a_command_that_is_killed_at_any_moment_is_taken_up_by_the_same_one(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let (client, prefix, options) = (fixture.engine.client(), fixture.installation.prefix(), fixture.options());
    let host = fixture.host().await?;
    accept(&host, ID).await?;
    host.wait_for_state(ID, "COMPLETE").await?;
    host.terminate().await?;
    let before = state(client, prefix).await?;
    change(client, &fixture.installation).await?;
    let begun = Instant::now();
    restore(&options, &["--yes"]).await?;
    let mut whole = begun.elapsed();
    for kill in Kill::all()? {
        change(client, &fixture.installation).await?;
        let moment = kill.moment(whole);
        let mut child = command(&options, &["--yes"]).spawn()?;
        tokio::time::sleep(moment).await;
        child.kill().await?;
        let begun = Instant::now();
        restore(&options, &["--yes"]).await.with_context(|| format!("killed after {moment:?}"))?;
        whole = whole.max(begun.elapsed());
        assert_eq!(state(client, prefix).await?, before, "killed after {moment:?}");
    }
    Ok(())
}

/// Files with data vanish unnoticed: no request finds that before the restore.
async fn lost_data_ends_the_restore_before_more_is_deleted(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::on_own_engine(distribution).await?;
    let (client, options) = (fixture.engine.client(), fixture.options());
    let host = fixture.host().await?;
    accept(&host, ID).await?;
    host.wait_for_state(ID, "COMPLETE").await?;
    host.terminate().await?;
    let others = uuids(client, &fixture.installation.other_indices()).await?;
    let import = fixture.installation.import_indices();
    fixture.repository.lose_data(&import[0])?;
    // Whatever answers there is taken for Optimize.
    let mut plan = command(&options, &["--dry-run"]);
    plan.env("CAMUNDA_OPTIMIZE_BACKUP_RESTORE_OPTIMIZE_URL", client.url().as_str());
    let Ended { code, output, .. } = ended(plan.spawn()?).await?;
    assert!(code != Some(0) && output.contains("optimizeIsRunning"), "{output}");
    let Ended { code, output, errors } = ended(command(&options, &["--yes"]).spawn()?).await?;
    assert_eq!(code, Some(1), "{output}\n{errors}");
    assert!(errors.contains("could not be restored") && errors.contains(&import[0]), "{errors}");
    assert!(errors.contains("do not start Optimize"), "{errors}");
    assert_eq!(uuids(client, &fixture.installation.other_indices()).await?, others, "part 2 is as it was");
    half_a_restore_is_left_alone(&fixture, &import[0]).await
}

/// A server that has not restored anything itself.
async fn half_a_restore_is_left_alone(fixture: &Fixture, restored: &str) -> Result<()> {
    let host = fixture.host().await?;
    for refused in [host.create(8).await?, host.delete(&format!("/actuator/backups/{ID}")).await?] {
        assert!(refused.status == 409 && refused.text.contains("restoreInProgress"), "{refused:?}");
    }
    host.terminate().await?;
    let written =
        fixture.engine.client().put(&format!("/{restored}/_doc/too-early"), &json!({"by": "Optimize"})).await?;
    assert_eq!(written.status, 403, "{written:?}");
    Ok(())
}
