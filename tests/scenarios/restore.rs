//! Restores on real engines: what was there comes back, compared and not counted, and nothing else changes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use backup_test_support::client::Client;
use backup_test_support::contents::dump;
use backup_test_support::engine::Distribution;
use backup_test_support::host::HostOptions;
use backup_test_support::installation::{Installation, create_neighbours, unique_prefix};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::fixture::Fixture;
use crate::kills::Kill;
use crate::lifecycle::accept;
use crate::{on_elasticsearch, on_every_engine};

on_every_engine!(everything_comes_back_and_nothing_else_changes, lost_data_ends_the_restore_before_more_is_deleted,);
on_elasticsearch!(a_command_that_is_killed_at_any_moment_is_taken_up_by_the_same_one);

const ID: u64 = 7;

/// The command where no server runs. It does not look for writers, which takes its time.
fn command(options: &HostOptions, arguments: &[&str]) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_optimize-backup")));
    command.args(["backup", "restore", &ID.to_string(), "--local", "--override", "optimizeIsWriting"]);
    command.args(arguments).env_clear().envs(options.variables());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Its exit status, and what it printed.
async fn ended(child: Child) -> Result<(i32, String, String)> {
    let ended = child.wait_with_output().await?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((ended.status.code().unwrap_or(-1), text(ended.stdout), text(ended.stderr)))
}

async fn restore(options: &HostOptions, arguments: &[&str]) -> Result<String> {
    let (status, output, errors) = ended(command(options, arguments).spawn()?).await?;
    ensure!(status == 0, "status {status}\n{output}\n{errors}");
    Ok(output)
}

/// All that there is to know of the indices under a prefix, by their names without it.
async fn state(client: &Client, prefix: &str) -> Result<BTreeMap<String, Value>> {
    let of = async |what: &str| client.get(&format!("/{prefix}-*/{what}?expand_wildcards=all")).await?.ok();
    let (settings, mappings, aliases) = (of("_settings").await?, of("_mapping").await?, of("_alias").await?);
    let mut state = BTreeMap::new();
    for (name, settings) in settings.as_object().context("no settings")? {
        let Some(rest) = name.strip_prefix(&format!("{prefix}-")) else { continue };
        let mut settings = settings.clone();
        // An engine gives these anew.
        if let Some(index) = settings.pointer_mut("/settings/index").and_then(Value::as_object_mut) {
            for setting in ["uuid", "history", "provided_name", "version"] {
                index.remove(setting);
            }
        }
        let (mapping, aliases) = (&mappings[name], &aliases[name]);
        let whole = json!({"documents": dump(client, name).await?, "settings": settings, "mapping": mapping, "aliases": aliases});
        state.insert(rest.to_owned(), serde_json::from_str(&whole.to_string().replace(&format!("{prefix}-"), ""))?);
    }
    Ok(state)
}

/// The UUIDs of indices: one that is replaced has another.
async fn uuids(client: &Client, names: &[String]) -> Result<Value> {
    let mut settings = client.get(&format!("/{}/_settings/index.uuid", names.join(","))).await?.ok()?;
    Ok(settings.take())
}

/// What happens after a backup.
async fn change(fixture: &Fixture) -> Result<()> {
    let (client, installation) = (fixture.engine.client(), &fixture.installation);
    for index in installation.import_indices().iter().chain(&installation.other_indices()).take(12) {
        client.put(&format!("/{index}/_doc/added-later?refresh=true"), &json!({"added": "later"})).await?.ok()?;
    }
    let others = installation.other_indices();
    let first = others.first().context("an index")?;
    for (id, _) in dump(client, first).await? {
        client.delete(&format!("/{first}/_doc/{id}?refresh=true")).await?.ok()?;
    }
    for index in others.iter().skip(1).step_by(7) {
        client.delete(&format!("/{index}")).await?.ok()?;
    }
    Ok(())
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
    change(&fixture).await?;
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
    change(&fixture).await?;
    let begun = Instant::now();
    restore(&options, &["--yes"]).await?;
    let mut whole = begun.elapsed();
    for kill in Kill::all()? {
        change(&fixture).await?;
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
    let (status, output, _) = ended(plan.spawn()?).await?;
    assert!(status != 0 && output.contains("optimizeIsRunning"), "{output}");
    let (status, output, errors) = ended(command(&options, &["--yes"]).spawn()?).await?;
    assert_eq!(status, 1, "{output}\n{errors}");
    assert!(errors.contains("could not be restored") && errors.contains(&import[0]), "{errors}");
    assert!(errors.contains("do not start Optimize"), "{errors}");
    assert_eq!(uuids(client, &fixture.installation.other_indices()).await?, others, "part 2 is as it was");
    half_a_restore_is_left_alone(&fixture, &import[1]).await
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
