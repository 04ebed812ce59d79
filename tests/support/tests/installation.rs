//! An installation has all its indices, and survives a snapshot and a restore.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use backup_test_support::client::Client;
use backup_test_support::contents::{dump, restore};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::installation::{Installation, SCHEMA_VERSION, create_neighbours, unique_prefix};
use backup_test_support::repository::{Damage, Repository, RepositoryOptions};
use serde_json::{Value, json};

#[tokio::test]
async fn its_indices_are_those_under_the_prefix() -> Result<()> {
    let engine = Engine::shared(Distribution::ELASTICSEARCH).await?;
    let prefix = unique_prefix();
    let mut installation = Installation::create(&engine, &prefix).await?;
    let neighbours = create_neighbours(&engine, &prefix).await?;
    let new = installation.deploy("onboarding").await?;
    assert_eq!(new, format!("{prefix}-process-instance-onboarding_v8"));
    let mut expected = installation.import_indices();
    assert_eq!(expected.len(), 3);
    expected.extend(installation.other_indices());
    expected.sort();
    let found = indices(engine.client(), &prefix).await?;
    assert_eq!(found, expected);
    assert!(neighbours.iter().all(|name| !found.contains(name)));
    let metadata = engine.client().get(&format!("/{prefix}-metadata/_source/1")).await;
    assert_eq!(metadata?.ok()?.get("schemaVersion"), Some(&json!(SCHEMA_VERSION)));
    Ok(())
}

#[tokio::test]
async fn what_is_restored_is_what_was_there() -> Result<()> {
    let engine = Engine::shared(Distribution::ELASTICSEARCH).await?;
    let installation = Installation::create(&engine, &unique_prefix()).await?;
    let repository = Repository::register(&engine).await?;
    let (client, from, to) = (engine.client(), installation.prefix(), unique_prefix());
    snapshot(client, &repository, &format!("{from}-*"), "whole", true).await?;
    restore(&repository, client, "whole", from, &to).await?;
    let before = all_documents(client, from).await?;
    assert_eq!(before.len(), installation.import_indices().len() + installation.other_indices().len());
    assert!(before.values().all(|documents| !documents.is_empty()));
    assert_eq!(before, all_documents(client, &to).await?);
    Ok(())
}

#[tokio::test]
async fn a_throttled_repository_and_random_text_make_a_snapshot_slow() -> Result<()> {
    let engine = Engine::start(Distribution::ELASTICSEARCH).await?;
    let installation = Installation::minimal(&engine, &unique_prefix()).await?;
    let slow = RepositoryOptions { bytes_per_second: Some(20_000), readonly: false };
    let repository = Repository::register_with(&engine, slow).await?;
    let index = installation.import_indices().first().context("no import index")?.clone();
    installation.grow(&index, 4 << 20).await?;
    snapshot(engine.client(), &repository, &index, "slow", false).await?;
    let path = format!("/_snapshot/{}/slow", repository.name());
    let answer = engine.client().get(&path).await?.ok()?;
    assert_eq!(answer.pointer("/snapshots/0/state"), Some(&json!("IN_PROGRESS")), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_damaged_snapshot_cannot_be_read_and_a_copy_of_the_repository_can() -> Result<()> {
    let engine = Engine::shared_own(Distribution::ELASTICSEARCH).await?;
    let installation = Installation::minimal(&engine, &unique_prefix()).await?;
    let repository = Repository::register(&engine).await?;
    let client = engine.client();
    snapshot(client, &repository, &format!("{}-*", installation.prefix()), "whole", true).await?;
    let readonly = RepositoryOptions { readonly: true, ..RepositoryOptions::default() };
    let copy = repository.copy_to(&engine, readonly).await?;
    repository.damage("whole", Damage::Missing).await?;
    assert_eq!(client.get(&format!("/_snapshot/{}/whole", repository.name())).await?.status, 404);
    assert_eq!(client.get(&format!("/_snapshot/{}/whole", copy.name())).await?.status, 200);
    assert_eq!(copy.snapshots().await?, ["whole"]);
    Ok(())
}

async fn snapshot(client: &Client, repository: &Repository, indices: &str, name: &str, wait: bool) -> Result<()> {
    let path = format!("/_snapshot/{}/{name}?wait_for_completion={wait}", repository.name());
    client.put(&path, &json!({ "indices": indices, "include_global_state": false })).await?.ok().map(drop)
}

async fn indices(client: &Client, prefix: &str) -> Result<Vec<String>> {
    let answer = client.get(&format!("/_resolve/index/{prefix}-*")).await?.ok()?;
    let found = answer.get("indices").and_then(Value::as_array).context("no indices in the answer")?;
    Ok(found.iter().filter_map(|index| index.get("name")?.as_str()).map(str::to_owned).collect())
}

async fn all_documents(client: &Client, prefix: &str) -> Result<BTreeMap<String, Vec<(String, Value)>>> {
    let mut all = BTreeMap::new();
    for index in indices(client, prefix).await? {
        let documents = dump(client, &index).await?;
        all.insert(index.trim_start_matches(prefix).to_owned(), documents);
    }
    Ok(all)
}
