//! tmp
use std::time::Instant;
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::installation::*;
use backup_test_support::repository::*;
use serde_json::json;
#[tokio::test]
async fn measure() -> anyhow::Result<()> {
    for d in [Distribution::ELASTICSEARCH, Distribution::ELASTICSEARCH_8_11, Distribution::ELASTICSEARCH_7_17, Distribution::OPENSEARCH] {
    let t = Instant::now();
    let engine = Engine::start(d).await?;
    eprintln!("{d:?} boot {:?}", t.elapsed());
    let slow = Repository::register_with(&engine, RepositoryOptions { bytes_per_second: Some(100_000), readonly: false }).await?;
    let fast = Repository::register(&engine).await?;
    let i = Installation::minimal(&engine, &unique_prefix()).await?;
    let x = &i.import_indices()[0];
    i.grow(x, 1_000_000).await?;
    engine.client().put(&format!("/_snapshot/{}/a", slow.name()), &json!({"indices": x})).await?.ok()?;
    let t = Instant::now();
    engine.client().put(&format!("/_snapshot/{}/a?wait_for_completion=true", fast.name()), &json!({"indices": x})).await?.ok()?;
    eprintln!("fast took {:?} while slow {:?}", t.elapsed(), engine.client().get(&format!("/_snapshot/{}/a", slow.name())).await?.body.pointer("/snapshots/0/state"));
    let t = Instant::now();
    backup_test_support::poll_until("x", std::time::Duration::from_secs(100), async || Ok((engine.client().get(&format!("/_snapshot/{}/a", slow.name())).await?.body.pointer("/snapshots/0/state") == Some(&json!("SUCCESS"))).then_some(()))).await?;
    eprintln!("slow took {:?} more", t.elapsed());
    let s = engine.client().get(&format!("/_snapshot/{}/a/_status", slow.name())).await?.body;
    eprintln!("{:?}", s.pointer("/snapshots/0/stats/total"));
    }
    Ok(())
}
