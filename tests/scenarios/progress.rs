//! How far a backup is, while it is made and afterwards.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use backup_test_support::poll_until;
use backup_test_support::repository::RepositoryOptions;
use serde_json::{Value, json};

use crate::everywhere;
use crate::fixture::{Fixture, part};

everywhere!(a_backup_tells_how_far_it_is);

const TIMEOUT: Duration = Duration::from_secs(120);
/// Some seconds in a slow repository, in more than one file: engines count whole ones.
const BYTES: usize = 300_000;
const INDICES: usize = 3;
/// The sizes of indices, which are looked at until the engine knows more, are a few seconds old.
const MAX_STEP_BACK: f64 = 5.0;

async fn a_backup_tells_how_far_it_is(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::with_repository(distribution, RepositoryOptions::SLOW).await?;
    for index in fixture.installation.other_indices().iter().take(INDICES) {
        fixture.installation.grow(index, BYTES).await?;
    }
    let host = fixture.host().await?;
    assert_eq!(host.get("/actuator/backups/1/progress").await?.status, 404);
    assert_eq!(host.create(1).await?.status, 202);

    let seen = until_complete(&host).await?;
    ensure!(seen.len() > 1, "it was over at once");
    ensure!(seen.iter().any(is_half_written), "part 2 was never seen half written: {seen:?}");
    for pair in seen.windows(2) {
        let (before, after) = (percent(&pair[0])?, percent(&pair[1])?);
        ensure!(after >= before - MAX_STEP_BACK, "from {before} to {after}");
    }

    let (last, running) = seen.split_last().context("at least one answer")?;
    for progress in running {
        ensure!((0.0..100.0).contains(&percent(progress)?), "{progress}");
        ensure!(progress["startTime"].is_string() && progress["elapsedSeconds"].is_u64(), "{progress}");
    }
    let shards = fixture.installation.import_indices().len() + fixture.installation.other_indices().len();
    assert_eq!(percent(last)?, 100.0);
    assert_eq!(last["shards"], json!({"total": shards, "done": shards, "failed": 0}));
    assert_eq!(last["bytes"]["done"], last["bytes"]["total"]);
    // Text is compressed.
    ensure!(last["bytes"]["total"].as_u64() > Some((BYTES * INDICES / 2) as u64), "{last}");
    assert_eq!(last["remainingSeconds"], Value::Null);
    for number in [1, 2] {
        let told = &last["parts"][usize::from(number) - 1];
        assert_eq!((&told["part"], &told["state"]), (&json!(number), &json!("SUCCESS")));
        assert_eq!(told["snapshotName"], part(1, number));
    }
    Ok(())
}

/// Every answer until the backup is complete.
async fn until_complete(host: &Host) -> Result<Vec<Value>> {
    let mut seen = Vec::new();
    poll_until("the backup is complete", TIMEOUT, async || {
        let progress = host.get("/actuator/backups/1/progress").await?.json()?;
        let state = progress["state"].as_str().context("a state")?.to_owned();
        seen.push(progress);
        ensure!(["IN_PROGRESS", "COMPLETE"].contains(&state.as_str()), "it is {state}");
        Ok((state == "COMPLETE").then_some(()))
    })
    .await?;
    Ok(seen)
}

fn percent(progress: &Value) -> Result<f64> {
    progress["percent"].as_f64().with_context(|| format!("no percent in {progress}"))
}

fn is_half_written(progress: &Value) -> bool {
    let bytes = &progress["parts"][1]["bytes"];
    let (done, total) = (bytes["done"].as_u64(), bytes["total"].as_u64());
    done > Some(0) && done < total
}
