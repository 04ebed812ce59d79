//! Deleting backups, also while they are being made. What the host alone decides, such as when it looks again, is
//! tested in virtual time: `host/src/service/tests/deletions.rs`.

use std::time::{Duration, Instant};

use anyhow::Result;
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use backup_test_support::poll_until;
use backup_test_support::repository::RepositoryOptions;
use serde_json::json;

use crate::fault_table::assert_refused;
use crate::fixture::{
    DELETION_TIMEOUT, Fixture, delete, deletion_ended, deletion_settled, health, is_gone, part, run_ended,
};
use crate::servers::is_native;
use crate::{in_host, on_elasticsearch, on_every_engine};

on_every_engine!(
    deleting_what_is_not_there_is_done,
    a_backup_deleted_while_it_is_made_does_not_come_back,
    parts_without_a_whole_can_be_deleted,
    a_deletion_that_takes_long_ends_well,
);

on_elasticsearch!(what_a_neighbour_adds_after_a_deletion_is_deleted_too, an_id_is_free_once_its_deletion_has_ended,);

in_host!(
    wasmtime: deleting_what_is_not_there_is_done,
    a_backup_deleted_while_it_is_made_does_not_come_back,
    parts_without_a_whole_can_be_deleted,
    a_deletion_that_takes_long_ends_well,
    an_engine_that_is_still_at_it_is_not_asked_again_soon,
);
in_host!(
    jco_on_node: deleting_what_is_not_there_is_done,
    a_backup_deleted_while_it_is_made_does_not_come_back,
    parts_without_a_whole_can_be_deleted,
    a_deletion_that_takes_long_ends_well,
    what_is_being_deleted_is_not_resumed,
);

async fn deleting_what_is_not_there_is_done(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    host.create(2).await?;
    host.wait_for_state(2, "COMPLETE").await?;
    for id in [1, 22, 9_223_372_036_854_775_807_u64] {
        assert_eq!(host.delete(&format!("/actuator/backups/{id}")).await?.status, 204);
    }
    host.wait_for_state(2, "COMPLETE").await
}

async fn a_backup_deleted_while_it_is_made_does_not_come_back(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let host = fixture.host().await?;
    host.create(1).await?;
    host.wait_for_state(1, "IN_PROGRESS").await?;

    let started = Instant::now();
    assert_eq!(host.delete("/actuator/backups/1").await?.status, 204);
    assert!(started.elapsed() < Duration::from_secs(20), "the 204 waited for the engine: {:?}", started.elapsed());

    deletion_settled(&host, 1).await?;
    assert!(fixture.repository.snapshots().await?.is_empty());
    assert_eq!(host.get("/actuator/backups/1").await?.status, 404);
    assert_eq!(host.create(1).await?.status, 202);
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
    Ok(())
}

/// The request that deletes is held back, so that the deletion is pending for sure when the ID is used again.
async fn an_id_is_free_once_its_deletion_has_ended(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = Host::start(fixture.options_through(&proxy)?).await?;
    host.create(1).await?;
    proxy.add(When::delete(&part(1, 1)).nth(1), Fault::delay(Duration::from_secs(8)));
    assert_eq!(host.delete("/actuator/backups/1").await?.status, 204);

    assert_refused(&host.create(1).await?, 409, "backupBeingDeleted")?;
    poll_until("the ID to be free", DELETION_TIMEOUT, async || {
        let repeated = host.create(1).await?;
        if repeated.status == 202 {
            return Ok(Some(()));
        }
        assert_refused(&repeated, 409, "backupBeingDeleted")?;
        Ok(None)
    })
    .await?;
    assert_eq!(proxy.faults(), 1);
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
    Ok(())
}

async fn parts_without_a_whole_can_be_deleted(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let other_version = part(1, 2).replace("8.6.0", "8.5.0");
    for name in [part(1, 2), other_version, part(11, 1)] {
        fixture.write_snapshot(&name, &fixture.installation.import_indices(), false).await?;
    }
    let host = fixture.host().await?;
    delete(&host, 1).await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(11, 1)]);
    Ok(())
}

/// Longer than the host waits before it looks what became of its request, and for backups to resume.
async fn a_deletion_that_takes_long_ends_well(distribution: Distribution) -> Result<()> {
    let very_slow = RepositoryOptions { bytes_per_second: Some(15_000), ..RepositoryOptions::SLOW };
    let fixture = Fixture::with_repository(distribution, very_slow).await?;
    fixture.installation.slow_down_part_one().await?;
    let host = fixture.host().await?;
    host.create(1).await?;
    host.wait_for_state(1, "IN_PROGRESS").await?;

    assert_eq!(host.delete("/actuator/backups/1").await?.status, 204);
    poll_until("the deletion ends", Duration::from_secs(170), async || {
        if !is_native() {
            return is_gone(&host, 1).await;
        }
        assert_eq!(health(&host, "runs").await?["active"], json!({}), "it resumes what it deletes");
        Ok((health(&host, "deletions").await?["pending"] == json!([])).then_some(()))
    })
    .await?;

    assert!(fixture.repository.snapshots().await?.is_empty());
    if is_native() {
        assert_eq!(health(&host, "deletions").await?["failed"], json!({}));
    }
    assert_eq!(host.get("/actuator/backups/1").await?.status, 404);
    Ok(())
}

/// Of an instance that answers all requests: it has no run to stop, and resumes a backup with each request about it.
async fn what_is_being_deleted_is_not_resumed(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = Host::start(fixture.options_through(&proxy)?).await?;
    host.create(1).await?;
    fixture.finished(&part(1, 1)).await?;

    proxy.add(When::delete(&part(1, 1)), Fault::silence());
    assert_eq!(host.delete("/actuator/backups/1").await?.status, 204);
    for path in ["/actuator/backups/1", "/actuator/backups"] {
        assert_eq!(host.get(path).await?.status, 200);
    }

    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1)]);
    Ok(())
}

/// Of a host that does not wait for the outcome: the second request deletes by name, and a new backup may have that
/// name by then.
async fn an_engine_that_is_still_at_it_is_not_asked_again_soon(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = Host::start(fixture.options_through(&proxy)?).await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;

    proxy.add(When::delete(&part(1, 1)).nth(1), Fault::silence());
    assert_eq!(host.delete("/actuator/backups/1").await?.status, 204);

    let since = Instant::now();
    deletion_settled(&host, 1).await?;
    assert!(since.elapsed() > Duration::from_secs(30), "asked again after {:?}", since.elapsed());
    assert!(fixture.repository.snapshots().await?.is_empty());
    Ok(())
}

/// It was about to start part 2 when another host deleted the backup, of which only part 1 was there.
async fn what_a_neighbour_adds_after_a_deletion_is_deleted_too(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let (host, neighbour) = (fixture.host().await?, Host::start(fixture.options_through(&proxy)?).await?);
    // The second look at the indices is for part 2.
    proxy.add(When::get("/_resolve/").nth(2), Fault::delay(Duration::from_secs(4)));
    neighbour.create(1).await?;
    poll_until("the gap", DELETION_TIMEOUT, async || Ok((proxy.faults() == 1).then_some(()))).await?;

    assert_eq!(host.delete("/actuator/backups/1").await?.status, 204);
    deletion_ended(&host).await?;
    let has_added = || proxy.writes().iter().any(|write| write.path.contains(&part(1, 2)));
    poll_until("the neighbour's part 2", DELETION_TIMEOUT, async || Ok(has_added().then_some(()))).await?;
    run_ended(&neighbour).await?;

    poll_until("nothing is left", DELETION_TIMEOUT, async || {
        Ok(fixture.repository.snapshots().await?.is_empty().then_some(()))
    })
    .await?;
    for host in [&host, &neighbour] {
        assert_eq!(host.get("/actuator/backups/1").await?.status, 404);
    }
    Ok(())
}
