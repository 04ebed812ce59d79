//! Hosts and engines that are stopped, killed and restarted.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use backup_test_support::installation::{Installation, unique_prefix};
use backup_test_support::poll_until;
use backup_test_support::repository::{Repository, RepositoryOptions};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;

use crate::fixture::{Fixture, health, options_through, part, run_ended};
use crate::kills::{AT_ONCE, Kill, Phase, ensure_one_came_before_the_end, time_of};
use crate::metrics::once;
use crate::servers::is_native;
use crate::{in_every_host, on_elasticsearch, on_every_engine};

on_every_engine!(kills_at_random_moments_leave_whole_backups, an_engine_that_is_restarted_ends_in_a_true_state,);

on_elasticsearch!(
    it_ends_with_0_on_sigterm,
    a_killed_host_is_replaced_by_its_restart,
    too_late_a_restart_leaves_it_incomplete,
);

in_every_host!(a_killed_host_is_replaced_by_its_restart, too_late_a_restart_leaves_it_incomplete,);

async fn it_ends_with_0_on_sigterm(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let host = fixture.host().await?;
    host.create(1).await?;
    assert_eq!(host.terminate().await?.code(), Some(0));
    let host = fixture.host().await?;
    host.wait_for_state(1, "COMPLETE").await
}

async fn a_killed_host_is_replaced_by_its_restart(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let host = fixture.host().await?;
    host.create(1).await?;
    host.kill().await?;

    let host = fixture.host().await?;
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
    Ok(())
}

async fn too_late_a_restart_leaves_it_incomplete(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let options = || fixture.options().env("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "1ms");
    let host = Host::start(options()).await?;
    host.create(1).await?;
    host.kill().await?;
    fixture.finished(&part(1, 1)).await?;

    let host = Host::start(options()).await?;
    host.wait_for_state(1, "INCOMPLETE").await?;
    let reason = host.get("/actuator/backups/1").await?.json()?["failureReason"].to_string();
    for words in ["part 2 of 2 is missing", "part 1 ended at 20", "not started within backup.resumeWindow (1ms)"] {
        assert!(reason.contains(words), "{words} is not in: {reason}");
    }
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1)]);
    if is_native() {
        once(&host, "runs_found_too_late_total", &[], 1.0).await?;
        assert!(host.output()?.contains("found a backup too late to resume it"));
    }
    Ok(())
}

/// The kill may come before the answer, in part 1, in the gap, in part 2 or after the end.
async fn kills_at_random_moments_leave_whole_backups(distribution: Distribution) -> Result<()> {
    let kills = stream::iter(Kill::all()?).map(|kill| kill_in_a_backup(distribution, kill));
    let phases: Vec<Phase> = kills.buffer_unordered(AT_ONCE).try_collect().await?;
    ensure_one_came_before_the_end(phases)
}

async fn kill_in_a_backup(distribution: Distribution, kill: Kill) -> Result<Phase> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    let moment = kill.moment(time_of(make(&host, 1)).await?);
    if let Ok(outcome) = timeout(moment, make(&host, 2)).await {
        outcome?;
    }
    let phase = kill.hit(host, &fixture, 2, moment).await?;
    end_well(&fixture).await.with_context(|| format!("{kill:?} {phase}"))?;
    Ok(phase)
}

/// After a restart.
async fn end_well(fixture: &Fixture) -> Result<()> {
    let host = fixture.host().await?;
    if host.get("/actuator/backups/2").await?.status == 404 {
        // Killed before the engine had part 1: nothing was begun, and nothing is in the way.
        host.create(2).await?;
    }
    host.wait_for_state(2, "COMPLETE").await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1), part(1, 2), part(2, 1), part(2, 2)]);
    Ok(())
}

/// Begins a backup and waits for its end.
async fn make(host: &Host, id: u64) -> Result<()> {
    accept(host, id).await?;
    host.wait_for_state(id, "COMPLETE").await
}

/// Begins a backup.
pub(crate) async fn accept(host: &Host, id: u64) -> Result<()> {
    let reply = host.create(id).await?;
    ensure!(reply.status == 202, "{}: {}", reply.status, reply.text);
    Ok(())
}

/// The engine itself goes away: it crashes in part 1, and is stopped in the gap before part 2.
///
/// What a crash leaves of a running snapshot is the engine's affair. What is shown of it: the run comes to an end, so it
/// is not IN_PROGRESS for ever, and the backup is told as what there is of it, neither with a 502 nor as COMPLETE without
/// both parts. After an orderly stop in the gap the backup is completed.
async fn an_engine_that_is_restarted_ends_in_a_true_state(distribution: Distribution) -> Result<()> {
    let mut engine = Engine::start(distribution).await?;
    let repository = Repository::register_with(&engine, RepositoryOptions::SLOW).await?;
    let installation = Installation::minimal(&engine, &unique_prefix()).await?;
    installation.slow_down_part_one().await?;
    let proxy = FaultProxy::in_front_of(&engine).await?;
    let options = options_through(&proxy, &engine, repository.name(), installation.prefix())?;
    let host = Host::start(options.env("CAMUNDA_OPTIMIZE_BACKUP_CALL_TIMEOUT", "10s")).await?;

    host.create(1).await?;
    host.wait_for_state(1, "IN_PROGRESS").await?;
    engine.kill().await?;
    assert_eq!(host.get("/actuator/backups/1").await?.status, 502);
    trouble_is_told(&host, "1").await?;
    engine.restart().await?;

    let state = final_state(&host, 1).await?;
    let snapshots = repository.snapshots().await?;
    match state.as_str() {
        "COMPLETE" => assert_eq!(snapshots, [part(1, 1), part(1, 2)]),
        // A node that is killed may take its running snapshot with it.
        "FAILED" => assert!(snapshots.is_empty() || snapshots == [part(1, 1)], "{snapshots:?}"),
        other => anyhow::bail!("{other} with {snapshots:?}"),
    }

    // The second look at the indices is for part 2: it keeps the host in the gap.
    proxy.add(When::get("/_resolve/").nth(2), Fault::silence());
    host.create(2).await?;
    poll_until("the gap", Duration::from_secs(30), async || Ok((proxy.faults() > 0).then_some(()))).await?;
    engine.stop().await?;
    trouble_is_told(&host, "2").await?;
    engine.restart().await?;

    host.wait_for_state(2, "COMPLETE").await?;
    let snapshots = repository.snapshots().await?;
    assert_eq!(snapshots.iter().filter(|name| [part(2, 1), part(2, 2)].contains(name)).count(), 2, "{snapshots:?}");
    Ok(())
}

/// The state that no longer changes.
async fn final_state(host: &Host, id: u64) -> Result<String> {
    run_ended(host).await?;
    let backup = host.get(&format!("/actuator/backups/{id}")).await?.json()?;
    Ok(backup["state"].as_str().with_context(|| backup.to_string())?.to_owned())
}

/// Waits until the host has given up every quick retry of a run's step.
async fn trouble_is_told(host: &Host, id: &str) -> Result<()> {
    poll_until("what keeps the run from going on", Duration::from_secs(60), async || {
        Ok(health(host, "runs").await?["active"][id].is_string().then_some(()))
    })
    .await
}

/// Waits until the host has given up every quick retry.
pub(crate) async fn be_away() -> Result<()> {
    const AWAY: Duration = Duration::from_secs(30);
    let since = Instant::now();
    poll_until("the end of the outage", 2 * AWAY, async || Ok((since.elapsed() >= AWAY).then_some(()))).await
}
