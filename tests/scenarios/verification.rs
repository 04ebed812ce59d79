//! Verifications on real engines: what is wrong with a backup is found, and nothing but copies is touched.
//!
//! There is one lock in a cluster: each test has an engine of its own.

mod hostile;
mod kills;
mod privileges;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use backup_test_support::contents::dump;
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::installation::{Installation, create_neighbours};
use backup_test_support::repository::RepositoryOptions;
use backup_test_support::{fixture, poll_until};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::command_line::{Ended, ended, program};
use crate::fault_table::verifications::met_at_every_step;
use crate::fixture::{Fixture, part};
use crate::kills::Kill;
use crate::lifecycle::accept;
use crate::metrics::Exposition;
use crate::{on_elasticsearch, on_every_engine};

on_every_engine!(a_good_backup_passes_and_each_fault_is_found);
on_elasticsearch!(what_a_killed_verification_has_left_is_cleared);

/// What the names of copies begin with.
const SCRATCH: &str = "optimize-backup-verify";

pub(crate) async fn own_engine(distribution: Distribution) -> Result<Fixture> {
    let engine = Arc::new(Engine::start(distribution).await?);
    fixture::Fixture::on(engine, RepositoryOptions::default()).await.map(Fixture)
}

/// The command where no server runs.
fn command(options: &HostOptions, id: u64, arguments: &[&str]) -> Command {
    let mut command = program(&["backup", "verify", &id.to_string(), "--local"]);
    command.args(arguments).envs(options.variables());
    command
}

/// The outcome of each check, with what was found, after a verification with this exit status.
async fn verified(options: &HostOptions, id: u64, expected: i32) -> Result<BTreeMap<String, (String, String)>> {
    let Ended { code, output, errors } = ended(command(options, id, &[]).spawn()?).await?;
    ensure!(code == Some(expected), "backup {id}: status {code:?}\n{output}\n{errors}");
    let row = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        Some((cells.next()?, (cells.next()?, cells.next()?)))
    };
    output.lines().map(|line| row(line).with_context(|| format!("no check: {line}"))).collect()
}

/// Every index of the cluster by its UUID, and its documents; aliases.
pub(crate) async fn everything(fixture: &Fixture) -> Result<Value> {
    let client = fixture.engine.client();
    let mut state = BTreeMap::new();
    let settings = client.get("/*/_settings?expand_wildcards=all").await?.ok()?;
    for (name, settings) in settings.as_object().context("no settings")? {
        state.insert(name.clone(), json!({"settings": settings, "documents": dump(client, name).await?}));
    }
    Ok(json!({"indices": state, "aliases": client.get("/_alias").await?.ok()?}))
}

pub(crate) async fn copies(fixture: &Fixture) -> Result<Vec<String>> {
    let found =
        fixture.engine.client().get("/*/_settings?expand_wildcards=all&filter_path=*.settings.index.uuid").await?;
    let found = found.ok()?;
    let names = found.as_object().into_iter().flatten().map(|(name, _)| name.clone());
    Ok(names.filter(|name| name.starts_with(SCRATCH)).collect())
}

/// Makes complete backups with a server that is no more afterwards.
pub(crate) async fn back_up(fixture: &Fixture, ids: &[u64]) -> Result<()> {
    let host = fixture.host().await?;
    for &id in ids {
        accept(&host, id).await?;
        host.wait_for_state(id, "COMPLETE").await?;
    }
    host.terminate().await?;
    Ok(())
}

pub(crate) fn path(id: u64) -> String {
    format!("/actuator/backups/{id}/verify")
}

/// Begins a verification on a server.
pub(crate) async fn begin(host: &Host, id: u64) -> Result<()> {
    let reply = host.request("POST", &path(id), &[], String::new()).await?;
    ensure!(reply.status == 202, "{}: {}", reply.status, reply.text);
    Ok(())
}

/// Waits until it has passed; fails when it has failed.
pub(crate) async fn passes(host: &Host, id: u64) -> Result<()> {
    poll_until("it has passed", Duration::from_secs(120), async || {
        let told = host.get(&path(id)).await?.json()?;
        ensure!(told["state"] != "FAILED", "{told}");
        Ok((told["state"] == "PASSED").then_some(()))
    })
    .await
}

/// Writes part 2 of a backup anew with other contents, and with the metadata that it had.
async fn rewrite_part_two(fixture: &Fixture, id: u64, indices: &[String]) -> Result<()> {
    let name = part(id, 2);
    let metadata = fixture.snapshot(&name).await?["metadata"].take();
    fixture.delete_snapshot(&name).await?;
    let path = format!("/_snapshot/{}/{name}?wait_for_completion=true", fixture.repository.name());
    let body = json!({"indices": indices, "include_global_state": false, "metadata": metadata});
    fixture.engine.client().put(&path, &body).await?.ok()?;
    Ok(())
}

async fn a_good_backup_passes_and_each_fault_is_found(distribution: Distribution) -> Result<()> {
    const GOOD: u64 = 1;
    const WITHOUT_DOCUMENTS: u64 = 2;
    const WITHOUT_INDEX: u64 = 3;
    let fixture = own_engine(distribution).await?;
    let (client, options) = (fixture.engine.client(), fixture.options());
    let prefix = fixture.installation.prefix();
    Installation::minimal(&fixture.engine, &format!("{prefix}-eu")).await?;
    create_neighbours(&fixture.engine, prefix).await?;
    // The name of its copy has no room for its own.
    let long = format!("{prefix}-process-instance-{}_v8", "x".repeat(229 - prefix.len()));
    client.put(&format!("/{long}/_doc/1?refresh=true"), &json!({"a": 1})).await?.ok()?;
    back_up(&fixture, &[GOOD, WITHOUT_DOCUMENTS, WITHOUT_INDEX]).await?;
    let mut others = fixture.installation.other_indices();
    others.push(long);
    let data = others.iter().find(|name| name.contains("process-instance")).context("an index with documents")?;

    let without: Vec<String> = others.iter().filter(|name| *name != data).cloned().collect();
    rewrite_part_two(&fixture, WITHOUT_INDEX, &without).await?;
    for (document, _) in dump(client, data).await? {
        client.delete(&format!("/{data}/_doc/{document}?refresh=true")).await?.ok()?;
    }
    rewrite_part_two(&fixture, WITHOUT_DOCUMENTS, &others).await?;

    let before = everything(&fixture).await?;
    let checks = verified(&options, GOOD, 0).await?;
    for check in ["restored", "indices", "documents", "schemaVersion", "importPositions"] {
        assert_eq!(checks.get(check).map(|(outcome, _)| outcome.as_str()), Some("PASSED"), "{check}: {checks:?}");
    }
    met_at_every_step(&fixture, &["reset_after_forwarding"]).await?;
    let checks = verified(&options, WITHOUT_DOCUMENTS, 1).await?;
    assert_eq!((&*checks["documents"].0, &*checks["restored"].0), ("FAILED", "PASSED"), "{checks:?}");
    let checks = verified(&options, WITHOUT_INDEX, 1).await?;
    assert_eq!((&*checks["indices"].0, &*checks["restored"].0), ("FAILED", "PASSED"), "{checks:?}");

    fixture.repository.flip_byte(data)?;
    let checks = verified(&options, GOOD, 1).await?;
    let (outcome, found) = &checks["restored"];
    assert_eq!(outcome, "FAILED", "{checks:?}");
    let found = found.to_lowercase();
    assert!(found.contains(data.as_str()) && (found.contains("corrupt") || found.contains("checksum")), "{found}");
    assert_eq!(everything(&fixture).await?, before);
    Ok(())
}

async fn what_a_killed_verification_has_left_is_cleared(distribution: Distribution) -> Result<()> {
    const ID: u64 = 7;
    const TIMEOUT: Duration = Duration::from_secs(60);
    let fixture = own_engine(distribution).await?;
    let options = fixture.options();
    fixture.installation.slow_down_part_one().await?;
    back_up(&fixture, &[ID]).await?;
    // Slow enough to look at a verification while it goes on.
    fixture.repository.slow_down_restores(150_000).await?;
    let before = everything(&fixture).await?;
    let begun = Instant::now();
    verified(&options, ID, 0).await?;
    let whole = begun.elapsed();

    for kill in Kill::all()? {
        let moment = kill.moment(whole);
        let mut child = command(&options, ID, &[]).spawn()?;
        tokio::time::sleep(moment).await;
        child.kill().await?;
        let left = copies(&fixture).await?.len();
        let Ended { code, output, errors } = ended(command(&options, ID, &["--take-over"]).spawn()?).await?;
        ensure!(code == Some(0), "killed after {moment:?} with {left} indices: status {code:?}\n{output}\n{errors}");
        assert_eq!(copies(&fixture).await?, [] as [String; 0], "killed after {moment:?}");
        assert_eq!(everything(&fixture).await?, before, "killed after {moment:?}");
    }

    // One that is ended in order clears first, and says so.
    let child = command(&options, ID, &[]).spawn()?;
    poll_until("a copy", TIMEOUT, async || Ok((copies(&fixture).await?.len() > 1).then_some(()))).await?;
    let process = child.id().context("it has ended")?.to_string();
    ensure!(Command::new("kill").args(["-TERM", &process]).status().await?.success());
    let Ended { code, output, errors } = ended(child).await?;
    ensure!(
        code == Some(130) && errors.contains("what the verification has made is cleared"),
        "{code:?}\n{output}\n{errors}"
    );
    assert_eq!(copies(&fixture).await?, [] as [String; 0]);

    // A server that is stopped clears by itself.
    let host = fixture.host().await?;
    let path = path(ID);
    begin(&host, ID).await?;
    poll_until("a copy", TIMEOUT, async || Ok((copies(&fixture).await?.len() > 1).then_some(()))).await?;
    assert_eq!(host.get(&path).await?.json()?["state"], "IN_PROGRESS");
    let another = fixture.host().await?;
    assert_eq!(another.get(&path).await?.json()?["state"], "IN_PROGRESS");
    assert_eq!(another.request("POST", &path, &[], String::new()).await?.status, 409);
    host.terminate().await?;
    assert_eq!(copies(&fixture).await?, [] as [String; 0]);

    // How it ended is in the metrics of the server that did it.
    begin(&another, ID).await?;
    passes(&another, ID).await?;
    let passed = Exposition::of(&another).await?.value("last_verification_timestamp_seconds", &[("outcome", "passed")]);
    assert!(passed.is_some_and(|time| time > 0.0), "{passed:?}");
    assert_eq!(everything(&fixture).await?, before);
    Ok(())
}
