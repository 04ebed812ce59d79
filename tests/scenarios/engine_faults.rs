//! Faults of the engine and of the network that last.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::{Host, Reply};
use backup_test_support::poll_until;
use futures::future::try_join_all;

use crate::fault_table::{BUDGET, assert_refused, host_behind, in_time};
use crate::fixture::{Fixture, delete, part, run_ended};
use crate::servers::is_native;
use crate::{everywhere, in_every_host, on_elasticsearch};

// Whether a write was carried out whose answer is lost depends on the engine.
everywhere!(a_write_that_may_have_arrived_is_not_sent_again);
// These faults are made by the proxy alone, so one engine is enough.
on_elasticsearch!(
    an_engine_that_is_down_is_told,
    retry_after_is_honoured,
    a_slow_write_is_no_missing_connection,
    part_two_that_is_refused_until_it_is_too_late_is_told,
    a_caller_who_hangs_up_stops_nothing,
    a_silent_engine_does_not_keep_the_host_from_ending,
    a_refusal_of_part_two_that_is_overcome_is_not_told,
    many_callers_of_a_silent_engine_are_answered_in_time,
);

/// The same faults in other hosts.
mod proxied {
    use super::*;

    in_every_host!(
        an_engine_that_is_down_is_told,
        retry_after_is_honoured,
        a_slow_write_is_no_missing_connection,
        part_two_that_is_refused_until_it_is_too_late_is_told,
        a_caller_who_hangs_up_stops_nothing,
    );
}

async fn an_engine_that_is_down_is_told(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let mut proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = host_behind(&fixture, &proxy, BUDGET).await?;
    proxy.go_down().await;

    for reply in [
        host.create(1).await?,
        host.get("/actuator/backups/1").await?,
        host.get("/actuator/backups").await?,
        host.delete("/actuator/backups/1").await?,
    ] {
        assert_refused(&reply, 502, "engineUnreachable")?;
        let port = proxy.url()?.port().map(|port| port.to_string()).unwrap_or_default();
        assert!(reply.json()?["errorMessage"].as_str().is_some_and(|text| text.contains(&port)), "{}", reply.text);
    }
    assert_eq!(host.get("/actuator/health/readiness").await?.status, 503);
    assert_eq!(host.get("/actuator/health/liveness").await?.status, 200);

    proxy.come_back()?;
    // For a second the host tells the result of its last probe.
    let is_ready = async || Ok((host.get("/actuator/health/readiness").await?.status == 200).then_some(()));
    poll_until("readiness", Duration::from_secs(10), is_ready).await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await
}

/// The host waits for as long as `Retry-After` says, unless that is longer than a call may take.
async fn retry_after_is_honoured(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = host_behind(&fixture, &proxy, BUDGET).await?;
    let busy = || Fault::engine_error(429, "circuit_breaking_exception");
    proxy.add(When::get("camunda_optimize_1_").nth(1), busy().header("retry-after", "3"));
    let started = Instant::now();
    assert_eq!(host.create(1).await?.status, 202);
    ensure!(started.elapsed() >= Duration::from_secs(3), "it asked again after {:?}", started.elapsed());
    run_ended(&host).await?;

    proxy.add(When::get("camunda_optimize_2_").nth(1), busy().header("retry-after", "60"));
    let started = Instant::now();
    assert_refused(&host.create(2).await?, 500, "engineBusy")?;
    ensure!(started.elapsed() < Duration::from_secs(9), "it waited for {:?}", started.elapsed());
    Ok(())
}

/// The host reads back what was written instead.
async fn a_write_that_may_have_arrived_is_not_sent_again(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    // Another host that resumes the backup by itself, and for a request meanwhile, would write twice.
    let options = fixture.options_through(&proxy)?.env("CAMUNDA_OPTIMIZE_BACKUP_RESUME", "false");
    let host = Host::start(options).await?;
    proxy.add(When::put("_part_1_of_2").nth(1), Fault::reset().after_forwarding());
    proxy.add(When::put("_part_2_of_2").nth(1), Fault::close().after_forwarding());
    proxy.add(When::delete("camunda_optimize_1_").nth(1), Fault::silence().after_forwarding());
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    run_ended(&host).await?;
    delete(&host, 1).await?;
    assert_eq!((proxy.faults(), proxy.writes().len()), (3, 3), "{:?}", proxy.writes());
    Ok(())
}

/// The engine takes longer to answer than the connection timeout.
async fn a_slow_write_is_no_missing_connection(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let name = fixture.engine.kind().name().to_uppercase();
    let timeout = format!("CAMUNDA_OPTIMIZE_{name}_CONNECTION_TIMEOUT");
    let host = Host::start(fixture.options_through(&proxy)?.env(&timeout, "2000")).await?;
    proxy.add(When::put("_part_1_of_2").nth(1), Fault::delay(Duration::from_secs(4)));
    assert_eq!(host.create(1).await?.status, 202);
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(proxy.faults(), 1);
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
    Ok(())
}

/// `failureReason` has the engine's last refusal for as long as the host remembers the run.
async fn part_two_that_is_refused_until_it_is_too_late_is_told(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let options = fixture.options_through(&proxy)?.env("CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW", "10s");
    let host = Host::start(options).await?;
    proxy.add(When::put("_part_2_of_2"), Fault::engine_error(500, "snapshot_exception"));

    host.create(1).await?;
    host.wait_for_state(1, "INCOMPLETE").await?;

    let reason = host.get("/actuator/backups/1").await?.json()?["failureReason"].to_string();
    assert!(reason.contains("part 2 of 2 is missing"), "{reason}");
    if is_native() {
        assert!(reason.contains("500 snapshot_exception"), "{reason}");
    }
    Ok(())
}

/// Part 2 is deleted later: `failureReason` does not have the refusal that was overcome.
async fn a_refusal_of_part_two_that_is_overcome_is_not_told(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = Host::start(fixture.options_through(&proxy)?).await?;
    proxy.add(When::put("_part_2_of_2").nth(1), Fault::engine_error(500, "snapshot_exception"));
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    run_ended(&host).await?;
    assert_eq!(proxy.faults(), 1);

    fixture.delete_snapshot(&part(1, 2)).await?;
    host.wait_for_state(1, "INCOMPLETE").await?;
    let reason = host.get("/actuator/backups/1").await?.json()?["failureReason"].to_string();
    assert!(reason.contains("part 2 of 2 is missing") && !reason.contains("refused"), "{reason}");
    Ok(())
}

/// More callers than may wait for the engine at once: the others are told to come again.
async fn many_callers_of_a_silent_engine_are_answered_in_time(distribution: Distribution) -> Result<()> {
    const CALLERS: usize = 400;
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = host_behind(&fixture, &proxy, BUDGET).await?;
    proxy.add(When::get("camunda_optimize_1_"), Fault::silence());
    let replies = in_time(BUDGET, try_join_all((0..CALLERS).map(|_| host.get("/actuator/backups/1")))).await?;
    let (silent, busy): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 502);
    assert!(!silent.is_empty() && !busy.is_empty(), "{} and {}", silent.len(), busy.len());
    for reply in busy {
        assert_refused(reply, 503, "serverBusy")?;
        assert!(reply.header("retry-after").is_some(), "{reply:?}");
    }

    proxy.heal();
    assert_eq!(host.get("/actuator/backups/1").await?.status, 404);
    Ok(())
}

async fn a_caller_who_hangs_up_stops_nothing(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = Host::start(fixture.options_through(&proxy)?).await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    run_ended(&host).await?;

    proxy.add(When::get("camunda_optimize_1_").nth(1), Fault::delay(Duration::from_secs(2)));
    hang_up(host.delete("/actuator/backups/1"), &proxy, 1).await?;
    delete(&host, 1).await?;
    assert!(fixture.repository.snapshots().await?.is_empty());

    proxy.add(When::put("_part_1_of_2").nth(1), Fault::delay(Duration::from_secs(2)));
    hang_up(host.create(2), &proxy, 2).await?;
    host.wait_for_state(2, "COMPLETE").await
}

/// Makes a request of the host and goes away when it has come as far as the proxy's nth fault.
async fn hang_up(request: impl Future<Output = Result<Reply>>, proxy: &FaultProxy, nth: usize) -> Result<()> {
    let has_come = poll_until("the fault", Duration::from_secs(20), async || Ok((proxy.faults() == nth).then_some(())));
    tokio::select! {
        reply = request => bail!("answered before anybody could hang up: {reply:?}"),
        has_come = has_come => has_come,
    }
}

async fn a_silent_engine_does_not_keep_the_host_from_ending(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = Host::start(fixture.options_through(&proxy)?).await?;
    proxy.add(When::put("_part_2_of_2"), Fault::silence());
    host.create(1).await?;
    poll_until("part 2", Duration::from_secs(20), async || {
        Ok(proxy.writes().iter().any(|write| write.path.contains("_part_2_of_2")).then_some(()))
    })
    .await?;

    let started = Instant::now();
    assert_eq!(host.terminate().await?.code(), Some(0));
    ensure!(started.elapsed() < Duration::from_secs(28), "Kubernetes kills after 30 s: {:?}", started.elapsed());

    let host = fixture.host().await?;
    host.wait_for_state(1, "COMPLETE").await
}
