//! Engines start, keep their data and their port, and leave nothing behind.

use anyhow::Result;
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::repository::Repository;
use serde_json::json;

#[tokio::test]
async fn elasticsearch_takes_a_snapshot() -> Result<()> {
    takes_a_snapshot(&*Engine::shared_own(Distribution::ELASTICSEARCH).await?).await
}

async fn takes_a_snapshot(engine: &Engine) -> Result<()> {
    let repository = Repository::register(engine).await?;
    engine.client().put("/some-index", &json!({})).await?.ok()?;
    let path = format!("/_snapshot/{}/first?wait_for_completion=true", repository.name());
    let answer = engine.client().put(&path, &json!({ "indices": "some-index" })).await?.ok()?;
    assert_eq!(answer.pointer("/snapshot/state"), Some(&json!("SUCCESS")), "{answer}");
    assert_eq!(repository.snapshots().await?, ["first"]);
    assert!(repository.folder()?.join("index-0").is_file());
    Ok(())
}

#[tokio::test]
async fn an_engine_that_was_killed_comes_back_with_its_data() -> Result<()> {
    let mut engine = Engine::start(Distribution::ELASTICSEARCH).await?;
    let client = engine.client().clone();
    client.put("/some-index/_doc/1?refresh=true", &json!({ "colour": "green" })).await?.ok()?;
    engine.kill().await?;
    assert!(client.get("/").await.is_err());
    engine.restart().await?;
    let document = client.get("/some-index/_source/1").await?.ok()?;
    assert_eq!(document, json!({ "colour": "green" }));
    engine.stop().await
}

#[tokio::test]
async fn a_secured_engine_wants_its_password() -> Result<()> {
    let engine = Engine::start_secured(Distribution::ELASTICSEARCH, "correct horse").await?;
    assert_eq!(engine.client().get("/_cluster/health").await?.status, 200);
    let stranger = engine.client().clone().with_credentials(None);
    assert_eq!(stranger.get("/_cluster/health").await?.status, 401);
    Ok(())
}
