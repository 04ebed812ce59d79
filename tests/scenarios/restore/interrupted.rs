//! Engines that crash or stand still in a restore, and policies that are replaced meanwhile.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::host::Host;
use backup_test_support::installation::{Installation, unique_prefix};
use backup_test_support::poll_until;
use backup_test_support::repository::Repository;

use super::{ID, TOKEN, back_up, begin, change, complete, confirmed, standing, state};
use crate::fixture::{Fixture, options};
use crate::lifecycle::be_away;
use crate::on_elasticsearch;
use crate::policy_updates::{put, serving};

on_elasticsearch!(a_restore_keeps_the_policy_that_it_began_with);

/// Only in the column `restores`.
mod in_column {
    use anyhow::Result;
    use backup_test_support::engine::Distribution;

    use super::an_engine_that_crashes_or_stands_still_ends_with_the_backup;
    use crate::on_engine;

    #[tokio::test]
    #[ignore = "cargo xtask matrix"]
    async fn of_elasticsearch_8_19() -> Result<()> {
        an_engine_that_crashes_or_stands_still_ends_with_the_backup(Distribution::ELASTICSEARCH).await
    }

    on_engine!(of_elasticsearch_7_17 is ELASTICSEARCH_7_17: an_engine_that_crashes_or_stands_still_ends_with_the_backup);
    on_engine!(of_elasticsearch_9_2 is ELASTICSEARCH_9_2: an_engine_that_crashes_or_stands_still_ends_with_the_backup);
    on_engine!(of_opensearch_2_19 is OPENSEARCH: an_engine_that_crashes_or_stands_still_ends_with_the_backup);
    on_engine!(of_opensearch_3_1 is OPENSEARCH_3_1: an_engine_that_crashes_or_stands_still_ends_with_the_backup);
}

/// Of random text, in one index of each part.
const BYTES: usize = 800_000;
/// A restore of it takes four seconds.
const SLOW: u64 = 200_000;

/// Makes both parts large, and the restores from this repository slow from then on.
async fn back_up_slow_data(host: &Host, installation: &Installation, repository: &Repository) -> Result<[String; 2]> {
    let others = installation.other_indices();
    let part_two = others.iter().find(|index| index.contains("process-instance")).context("an index of part 2")?;
    let large = [installation.import_indices().first().context("an index of part 1")?.clone(), part_two.clone()];
    for index in &large {
        installation.grow(index, BYTES).await?;
    }
    back_up(host, ID).await?;
    repository.slow_down_restores(SLOW).await?;
    Ok(large)
}

async fn is_restoring(host: &Host, index: &str) -> Result<()> {
    poll_until("the restore of the index", Duration::from_secs(120), async || {
        let restore = standing(host, ID).await?;
        ensure!(!["COMPLETE", "FAILED"].contains(&restore["state"].as_str().unwrap_or_default()), "{restore}");
        let indices = restore["indices"].as_array().context("no indices")?;
        Ok(indices.iter().any(|row| row["index"] == index && row["state"] == "RESTORING").then_some(()))
    })
    .await
}

/// It crashes in part 1 and comes back at once, and stands still for 30 s in part 2.
async fn an_engine_that_crashes_or_stands_still_ends_with_the_backup(distribution: Distribution) -> Result<()> {
    let mut engine = Engine::start(distribution).await?;
    let client = engine.client().clone();
    let repository = Repository::register(&engine).await?;
    let installation = Installation::minimal(&engine, &unique_prefix()).await?;
    let prefix = installation.prefix();
    let options = options(&engine, repository.name(), prefix).token(TOKEN);
    let host = Host::start(options.env("CAMUNDA_OPTIMIZE_BACKUP_CALL_TIMEOUT", "10s")).await?;
    let [of_part_one, of_part_two] = back_up_slow_data(&host, &installation, &repository).await?;
    let before = state(&client, prefix).await?;
    change(&client, &installation).await?;

    begin(&host, ID, &confirmed(prefix)).await?;
    is_restoring(&host, &of_part_one).await?;
    engine.kill().await?;
    engine.restart().await?;
    is_restoring(&host, &of_part_two).await?;
    engine.pause()?;
    be_away().await?;
    engine.resume()?;
    complete(&host, ID).await?;
    assert_eq!(state(&client, prefix).await?, before);
    Ok(())
}

async fn a_restore_keeps_the_policy_that_it_began_with(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let (client, installation) = (fixture.engine.client(), &fixture.installation);
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("policy.wasm");
    put(&path, "7.0.0")?;
    let options = fixture.options().token(TOKEN).env("CAMUNDA_OPTIMIZE_POLICY_PATH", &path.to_string_lossy());
    let host = Host::start(options).await?;
    let [of_part_one, _] = back_up_slow_data(&host, installation, &fixture.repository).await?;
    let before = state(client, installation.prefix()).await?;
    change(client, installation).await?;

    begin(&host, ID, &confirmed(installation.prefix())).await?;
    is_restoring(&host, &of_part_one).await?;
    put(&path, "8.0.0")?;
    let is_exchanged = async || Ok((serving(&host).await? == (2, "8.0.0".to_owned())).then_some(()));
    poll_until("the new policy", Duration::from_secs(60), is_exchanged).await?;
    ensure!(standing(&host, ID).await?["state"] == "IN_PROGRESS", "the restore was over before the exchange");
    complete(&host, ID).await?;
    assert_eq!(state(client, installation.prefix()).await?, before);
    Ok(())
}
