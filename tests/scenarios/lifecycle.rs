//! Starting, stopping, being killed.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use backup_test_support::installation::{Installation, unique_prefix};
use backup_test_support::poll_until;
use backup_test_support::repository::Repository;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;

use crate::world::{SLOWLY, World, health, options_through, part, run_ended};
use crate::{in_every_host, on_elasticsearch, on_every_engine};

on_every_engine!(kills_at_random_moments_leave_whole_backups, an_engine_that_is_restarted_ends_in_a_true_state,);

on_elasticsearch!(
    it_ends_with_0_on_sigterm,
    a_killed_host_is_replaced_by_its_restart,
    too_late_a_restart_leaves_it_incomplete,
);

in_every_host!(a_killed_host_is_replaced_by_its_restart, too_late_a_restart_leaves_it_incomplete,);

/// How many hosts are started and killed at the same time.
pub(crate) const AT_ONCE: usize = 5;

async fn it_ends_with_0_on_sigterm(distribution: Distribution) -> Result<()> {
    let world = World::slow(distribution).await?;
    let host = world.host().await?;
    host.create(1).await?;
    assert_eq!(host.terminate().await?.code(), Some(0));
    let host = world.host().await?;
    host.wait_for_state(1, "COMPLETE").await
}

async fn a_killed_host_is_replaced_by_its_restart(distribution: Distribution) -> Result<()> {
    let world = World::slow(distribution).await?;
    let host = world.host().await?;
    host.create(1).await?;
    host.kill().await?;

    let host = world.host().await?;
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(world.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
    Ok(())
}

async fn too_late_a_restart_leaves_it_incomplete(distribution: Distribution) -> Result<()> {
    let world = World::slow(distribution).await?;
    let options = || world.options().env("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "1ms");
    let host = Host::start(options()).await?;
    host.create(1).await?;
    host.kill().await?;
    world.finished(&part(1, 1)).await?;

    let host = Host::start(options()).await?;
    host.wait_for_state(1, "INCOMPLETE").await?;
    let reason = host.get("/actuator/backups/1").await?.json()?["failureReason"].to_string();
    assert!(reason.contains("part 2 of 2 is missing"), "{reason}");
    assert_eq!(world.repository.snapshots().await?, [part(1, 1)]);
    Ok(())
}

/// Wherever the kill hits: before the answer, in part 1, in the gap, in part 2, after the end.
async fn kills_at_random_moments_leave_whole_backups(distribution: Distribution) -> Result<()> {
    let (kills, seed) = (kills()?, rand_seed());
    let outcome = stream::iter(1..=kills)
        .map(|n| kill_at_a_random_moment(distribution, seed.wrapping_add(n)))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>();
    outcome.await.with_context(|| format!("seed {seed}"))
}

async fn kill_at_a_random_moment(distribution: Distribution, seed: u64) -> Result<()> {
    let world = World::new(distribution).await?;
    let host = world.host().await?;
    let whole = time_of(make(&host, 1)).await?;
    if let Ok(outcome) = timeout(random_moment(whole, seed), make(&host, 2)).await {
        outcome?;
    }
    host.kill().await?;

    let host = world.host().await?;
    if host.get("/actuator/backups/2").await?.status == 404 {
        // Killed before the engine had part 1: nothing was begun, and nothing is in the way.
        host.create(2).await?;
    }
    host.wait_for_state(2, "COMPLETE").await?;
    assert_eq!(world.repository.snapshots().await?, [part(1, 1), part(1, 2), part(2, 1), part(2, 2)]);
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

pub(crate) async fn time_of(what: impl Future<Output = Result<()>>) -> Result<Duration> {
    let begin = Instant::now();
    what.await?;
    Ok(begin.elapsed())
}

/// Somewhere within what has just taken so long, on this engine and as busy as it is.
pub(crate) fn random_moment(whole: Duration, seed: u64) -> Duration {
    const STEPS: u32 = 1_000;
    let step = scramble(seed) % u64::from(STEPS);
    whole / STEPS * step as u32
}

/// How many hosts a test kills: `KILLS`, which `cargo xtask soak` sets, or a few.
pub(crate) fn kills() -> Result<u64> {
    const FEW: u64 = 5;
    std::env::var("KILLS").map_or(Ok(FEW), |kills| kills.parse().with_context(|| format!("KILLS={kills}")))
}

pub(crate) fn rand_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs()
}

/// SplitMix64: neighbouring seeds give unrelated numbers.
fn scramble(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The engine itself goes away: it crashes in part 1, and is stopped in the gap before part 2.
async fn an_engine_that_is_restarted_ends_in_a_true_state(distribution: Distribution) -> Result<()> {
    let mut engine = Engine::start(distribution).await?;
    let repository = Repository::register_with(&engine, SLOWLY).await?;
    let installation = Installation::minimal(&engine, &unique_prefix()).await?;
    let import = installation.import_indices();
    installation.grow(import.first().context("an import index")?, 600_000).await?;
    let proxy = FaultProxy::in_front_of(&engine).await?;
    let options = options_through(&proxy, &engine, repository.name(), installation.prefix())?;
    let host = Host::start(options.env("CAMUNDA_OPTIMIZE_BACKUP_CALL_TIMEOUT", "10s")).await?;

    host.create(1).await?;
    host.wait_for_state(1, "IN_PROGRESS").await?;
    engine.kill().await?;
    assert_eq!(host.get("/actuator/backups/1").await?.status, 502);
    be_away().await?;
    engine.restart().await?;

    let state = final_state(&host, 1).await?;
    let snapshots = repository.snapshots().await?;
    match state.as_str() {
        "COMPLETE" => assert_eq!(snapshots, [part(1, 1), part(1, 2)]),
        // A node that is killed may take its running snapshot with it.
        "FAILED" => assert_eq!(snapshots, [part(1, 1)]),
        "GONE" => assert!(snapshots.is_empty(), "{snapshots:?}"),
        other => anyhow::bail!("{other} with {snapshots:?}"),
    }

    // The second look at the indices is for part 2: it keeps the host in the gap.
    proxy.add(When::get("/_resolve/").nth(2), Fault::silence());
    host.create(2).await?;
    poll_until("the gap", Duration::from_secs(30), async || Ok((proxy.faults() > 0).then_some(()))).await?;
    engine.stop().await?;
    be_away().await?;
    let trouble = health(&host, "runs").await?["active"]["2"].take();
    assert!(trouble.is_string(), "nothing is told of it: {trouble}");
    engine.restart().await?;

    host.wait_for_state(2, "COMPLETE").await?;
    let snapshots = repository.snapshots().await?;
    assert_eq!(snapshots.iter().filter(|name| [part(2, 1), part(2, 2)].contains(name)).count(), 2, "{snapshots:?}");
    Ok(())
}

/// The state that no longer changes; `GONE` for a backup of which the engine keeps nothing.
async fn final_state(host: &Host, id: u64) -> Result<String> {
    run_ended(host).await?;
    let reply = host.get(&format!("/actuator/backups/{id}")).await?;
    match reply.status {
        404 => Ok("GONE".to_owned()),
        200 => Ok(reply.json()?["state"].as_str().context("a state")?.to_owned()),
        status => anyhow::bail!("{status}: {}", reply.text),
    }
}

/// For so long that every quick retry is over.
async fn be_away() -> Result<()> {
    const AWAY: Duration = Duration::from_secs(30);
    let since = Instant::now();
    poll_until("the end of the outage", 2 * AWAY, async || Ok((since.elapsed() >= AWAY).then_some(()))).await
}
