//! A repository whose storage cannot be written to, or is away: what engines make of it, and what is told.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use backup_test_support::poll_until;
use serde_json::json;

use crate::fixture::{Fixture, health, part, run_ended};
use crate::metrics::Exposition;
use crate::on_every_engine;

on_every_engine!(a_part_that_the_engine_drops_is_told, a_storage_that_is_away_is_told_as_that);

/// Every engine accepts part 1, and a moment later knows nothing of it.
async fn a_part_that_the_engine_drops_is_told(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::on_own_engine(distribution).await?;
    let (host, neighbour) = (fixture.host().await?, fixture.host().await?);
    let allow = |mode| fs::set_permissions(fixture.repository.folder()?, Permissions::from_mode(mode)).context("chmod");
    allow(0o555)?;
    let reply = host.create(1).await?;
    run_ended(&host).await?;
    allow(0o755)?;

    assert_eq!(reply.status, 202, "{}", reply.text);
    let backup = host.get("/actuator/backups/1").await?.json()?;
    assert_eq!((&backup["state"], &backup["details"]), (&json!("FAILED"), &json!([])), "{backup}");
    let reason = backup["failureReason"].as_str().context("a reason")?;
    assert!(reason.contains("accepted part 1 of 2 and has no trace of it"), "{reason}");
    assert_eq!(host.get("/actuator/backups").await?.json()?, json!([backup]));
    assert_eq!(health(&host, "runs").await?["dropped"], json!({"1": reason}));
    let metrics = Exposition::of(&host).await?;
    assert_eq!(metrics.value("runs_ended_total", &[("state", "failed")]), Some(1.0));
    assert_eq!(neighbour.get("/actuator/backups/1").await?.status, 404);

    assert_eq!(host.create(1).await?.status, 202);
    host.wait_for_state(1, "COMPLETE").await?;
    assert_eq!(health(&host, "runs").await?["dropped"], json!({}));
    Ok(())
}

/// Every engine still knows the names, and can read none of the snapshots.
async fn a_storage_that_is_away_is_told_as_that(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::on_own_engine(distribution).await?;
    let host = fixture.host().await?;
    for id in [1, 2] {
        host.create(id).await?;
        host.wait_for_state(id, "COMPLETE").await?;
    }
    run_ended(&host).await?;
    let folder = fixture.repository.folder()?;
    let away = folder.with_extension("away");
    fs::rename(folder, &away)?;
    let outcome = expect_unreadable(&host).await;
    bring_back(&away, folder).await?;
    outcome?;

    for id in [1, 2] {
        host.wait_for_state(id, "COMPLETE").await?;
    }
    assert_eq!(fixture.repository.snapshots().await?, [part(1, 1), part(1, 2), part(2, 1), part(2, 2)]);
    Ok(())
}

/// Whoever verifies the repository meanwhile has the engine make its folder anew.
async fn bring_back(away: &Path, folder: &Path) -> Result<()> {
    poll_until("the folder to be free", Duration::from_secs(20), async || {
        // The engine may be writing there: then this fails, or the rename does.
        drop(fs::remove_dir_all(folder));
        Ok(fs::rename(away, folder).ok())
    })
    .await
}

async fn expect_unreadable(host: &Host) -> Result<()> {
    let list = host.get("/actuator/backups").await?.json()?;
    let one = host.get("/actuator/backups/1").await?.json()?;
    for (backup, count) in [(&list[0], "4 of the 4"), (&list[1], "4 of the 4"), (&one, "2 of the 2")] {
        assert_eq!((&backup["state"], &backup["details"][0]["state"]), (&json!("FAILED"), &json!("UNREADABLE")));
        let reason = backup["failureReason"].as_str().context("a reason")?;
        assert!(reason.contains(&format!("{count} snapshots that were looked at cannot be read")), "{reason}");
        assert!(reason.ends_with("bring it back, and delete nothing until then"), "{reason}");
    }
    let cause = one["failureReason"].as_str().is_some_and(|reason| reason.contains("no_such_file_exception: "));
    assert!(cause, "the engine's own cause is not told: {one}");
    Ok(())
}
