//! What a server does without a request: backups by a schedule, and the deletion of what expires.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use backup_test_support::poll_until;
use futures::future::try_join_all;
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::process::Command;

use crate::fixture::{Fixture, part};
use crate::on_elasticsearch;

const TOKEN: &str = "open-sesame-open-sesame";
const MAX_COUNT: &str = "CAMUNDA_OPTIMIZE_BACKUP_RETENTION_MAX_COUNT";
const CRON: &str = "CAMUNDA_OPTIMIZE_BACKUP_SCHEDULE_CRON";

on_elasticsearch!(what_expires_is_shown_and_deleted);

async fn expire(host: &Host, token_file: &Path, options: &[&str]) -> Result<Output> {
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_optimize-backup")));
    command.args(["backup", "expire"]).args(options).arg("--token-file").arg(token_file);
    command.env_clear().env("OPTIMIZE_BACKUP_URL", host.url().as_str()).stdin(Stdio::null()).kill_on_drop(true);
    Ok(command.output().await?)
}

async fn what_expires_is_shown_and_deleted(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = Host::start(fixture.options().token(TOKEN).env(MAX_COUNT, "1")).await?;
    let folder = tempdir()?;
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, TOKEN)?;
    for id in [9, 8, 7] {
        assert_eq!(host.create(id).await?.status, 202);
        host.wait_for_state(id, "COMPLETE").await?;
    }

    let shown = expire(&host, &token_file, &["--dry-run"]).await?;
    let lines = "9\t2 newer backups are COMPLETE, as many as are to be kept\n8\t1 newer backups are COMPLETE, as many as are to be kept\n";
    assert_eq!((shown.status.code(), String::from_utf8(shown.stdout)?.as_str()), (Some(0), lines));
    assert_eq!(expire(&host, &token_file, &[]).await?.status.code(), Some(2), "nobody can be asked");
    assert_eq!(fixture.repository.snapshots().await?.len(), 6);

    let deleted = expire(&host, &token_file, &["--yes", "--output", "json"]).await?;
    let answer: Value = serde_json::from_slice(&deleted.stdout)?;
    assert_eq!((deleted.status.code(), &answer["expired"][1]["backupId"]), (Some(0), &json!(8)), "{answer}");
    poll_until("the deletion", Duration::from_secs(60), async || {
        Ok((fixture.repository.snapshots().await? == [part(7, 1), part(7, 2)]).then_some(()))
    })
    .await?;
    let nothing = expire(&host, &token_file, &["--yes"]).await?;
    assert_eq!((nothing.status.code(), nothing.stdout.as_slice()), (Some(0), &b""[..]));
    Ok(())
}

/// Three servers with one schedule, on a real engine. It takes two to three minutes.
#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn three_servers_make_one_backup_a_minute() -> Result<()> {
    const TIMEOUT: Duration = Duration::from_secs(150);
    let fixture = Fixture::new(Distribution::ELASTICSEARCH).await?;
    // Otherwise the last minute is made up for.
    let first = fixture.host().await?;
    assert_eq!(first.create(1).await?.status, 202);
    first.wait_for_state(1, "COMPLETE").await?;
    let options = || fixture.options().env(CRON, "* * * * *").env(MAX_COUNT, "1");
    let hosts = try_join_all((0..3).map(|_| Host::start(options()))).await?;
    let began = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let slots = [began / 60 + 1, began / 60 + 2].map(|minute| minute * 60);
    for slot in slots {
        poll_until("the backup of the minute", TIMEOUT, async || {
            let names = fixture.repository.snapshots().await?;
            Ok((names == [part(slot, 1), part(slot, 2)]).then_some(()))
        })
        .await?;
    }
    for host in &hosts {
        let schedule = host.get("/actuator/schedule").await?.json()?;
        let last = &schedule["lastSlots"][0];
        assert_eq!((&last["backupId"], &last["state"]), (&json!(slots[1]), &json!("COMPLETE")), "{schedule}");
        assert_eq!(schedule["retention"]["maxCount"], json!(1));
    }
    Ok(())
}
