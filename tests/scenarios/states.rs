//! The state of a backup, by its snapshots: each state is made on purpose.

use anyhow::{Context, Result};
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use backup_test_support::repository::Damage;
use serde_json::{Value, json};

use crate::fixture::{Fixture, delete, part, run_ended};
use crate::{everywhere, on_elasticsearch};

everywhere!(
    in_progress_while_part_one_is_written,
    failed_by_a_partial_snapshot,
    failed_by_a_missing_file,
    failed_by_a_corrupt_file;
    other hosts only: failed_by_too_many_snapshots,
    incomplete_by_a_deleted_part_one,
    incomplete_when_nobody_is_making_part_two,
    completed_for_scripts_that_wait_for_that_word,
    a_part_two_that_is_deleted_is_made_again
);

on_elasticsearch!(
    failed_by_too_many_snapshots,
    incomplete_by_a_deleted_part_one,
    incomplete_by_a_deleted_part_two,
    incomplete_when_nobody_is_making_part_two,
    completed_for_scripts_that_wait_for_that_word,
);

async fn in_progress_while_part_one_is_written(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::slow(distribution).await?;
    let host = fixture.host().await?;
    host.create(1).await?;

    let backup = host.get("/actuator/backups/1").await?.json()?;
    assert_eq!((&backup["state"], &backup["failureReason"]), (&json!("IN_PROGRESS"), &Value::Null));
    assert_eq!(backup["details"][0]["state"], "IN_PROGRESS");
    assert_eq!(backup["details"].as_array().map(Vec::len), Some(1), "part 2 was started too early");

    host.wait_for_state(1, "COMPLETE").await
}

async fn failed_by_a_partial_snapshot(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let stuck = unallocatable_index(&fixture).await?;
    let mut import = fixture.installation.import_indices();
    fixture.write_snapshot(&part(1, 2), &import, false).await?;
    import.push(stuck.clone());
    fixture.write_snapshot(&part(1, 1), &import, true).await?;
    let host = fixture.host().await?;

    let backup = host.get("/actuator/backups/1").await?.json()?;

    assert_eq!(backup["state"], "FAILED");
    assert_eq!(backup["details"][0]["state"], "PARTIAL");
    let failure = backup["details"][0]["failures"][0].as_str().context("a failure of a shard")?;
    assert!(failure.starts_with(&format!("[{stuck}][0] on no node: ")), "{failure}");
    let reason = backup["failureReason"].as_str().context("a reason")?;
    assert!(reason.contains(&part(1, 1)) && reason.contains("PARTIAL") && reason.contains(failure), "{reason}");
    Ok(())
}

async fn failed_by_too_many_snapshots(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let import = fixture.installation.import_indices();
    let third = part(1, 1).replace("8.6.0", "8.5.0");
    for name in [part(1, 1), part(1, 2), third.clone()] {
        fixture.write_snapshot(&name, &import, false).await?;
    }
    let host = fixture.host().await?;

    let backup = host.get("/actuator/backups/1").await?.json()?;

    assert_eq!(backup["state"], "FAILED");
    assert!(backup["failureReason"].as_str().is_some_and(|reason| reason.contains(&third)), "{backup}");
    Ok(())
}

async fn incomplete_by_a_deleted_part_one(distribution: Distribution) -> Result<()> {
    incomplete_by_a_deleted_part(distribution, 1).await
}

async fn incomplete_by_a_deleted_part_two(distribution: Distribution) -> Result<()> {
    incomplete_by_a_deleted_part(distribution, 2).await
}

async fn incomplete_by_a_deleted_part(distribution: Distribution, deleted: u8) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = backup_without(&fixture, deleted).await?;

    let backup = host.get("/actuator/backups/1").await?.json()?;

    assert_eq!(backup["state"], "INCOMPLETE");
    let reason = backup["failureReason"].as_str().context("a reason")?;
    assert_eq!(reason, format!("part {deleted} of 2 is missing; only {} exists", part(1, 3 - deleted)));
    Ok(())
}

/// A host without memory of its runs takes it for a backup that is still to get its part 2.
async fn a_part_two_that_is_deleted_is_made_again(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = backup_without(&fixture, 2).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
    Ok(())
}

/// A host that has made backup 1, of which somebody else has deleted a part.
async fn backup_without(fixture: &Fixture, deleted: u8) -> Result<Host> {
    let host = fixture.host().await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    // Before its run has ended, the host would make a part 2 that is gone once more.
    run_ended(&host).await?;
    fixture.delete_snapshot(&part(1, deleted)).await?;
    Ok(host)
}

async fn incomplete_when_nobody_is_making_part_two(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    // Without our metadata: somebody else's run, which is not ours to resume.
    fixture.write_snapshot(&part(1, 1), &fixture.installation.import_indices(), false).await?;
    let host = fixture.host().await?;

    host.wait_for_state(1, "INCOMPLETE").await?;

    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1)]);
    Ok(())
}

async fn failed_by_a_missing_file(distribution: Distribution) -> Result<()> {
    failed_by_a_damaged_snapshot(distribution, Damage::Missing).await
}

async fn failed_by_a_corrupt_file(distribution: Distribution) -> Result<()> {
    failed_by_a_damaged_snapshot(distribution, Damage::Corrupt).await
}

async fn failed_by_a_damaged_snapshot(distribution: Distribution, damage: Damage) -> Result<()> {
    let fixture = Fixture::on_own_engine(distribution).await?;
    let host = fixture.host().await?;
    for id in [1, 2] {
        host.create(id).await?;
        host.wait_for_state(id, "COMPLETE").await?;
    }
    fixture.repository.damage(&part(1, 2), damage).await?;

    let list = host.get("/actuator/backups").await?.json()?;
    assert_eq!((&list[0]["backupId"], &list[0]["state"]), (&json!(2), &json!("COMPLETE")));
    assert_eq!((&list[1]["backupId"], &list[1]["state"]), (&json!(1), &json!("FAILED")));
    let detail = &list[1]["details"][1];
    assert_eq!((&detail["state"], &detail["startTime"]), (&json!("UNREADABLE"), &Value::Null));
    assert!(list[1]["failureReason"].as_str().is_some_and(|reason| reason.contains(&part(1, 2))), "{list}");
    assert_eq!(host.get("/actuator/backups/1").await?.json()?, list[1]);
    assert_eq!(host.create(1).await?.status, 409);

    delete(&host, 1).await?;
    assert_eq!(fixture.repository.snapshots().await?, [part(2, 1), part(2, 2)]);
    assert_eq!(host.create(1).await?.status, 202);
    host.wait_for_state(1, "COMPLETE").await
}

async fn completed_for_scripts_that_wait_for_that_word(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = Host::start(fixture.options().env("CAMUNDA_OPTIMIZE_BACKUP_COMPLETE_STATE", "COMPLETED")).await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETED").await
}

/// An index whose primary cannot be anywhere.
async fn unallocatable_index(fixture: &Fixture) -> Result<String> {
    let name = format!("{}-process-instance-stuck_v8", fixture.installation.prefix());
    let body = json!({"settings": {
        "number_of_replicas": 0,
        "index.routing.allocation.require.zone": "none",
    }});
    fixture.engine.client().put(&format!("/{name}?wait_for_active_shards=0"), &body).await?.ok()?;
    Ok(name)
}
