//! tmp
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::installation::*;
use std::time::Instant;
#[tokio::test]
async fn measure() -> anyhow::Result<()> {
    for d in [Distribution::ELASTICSEARCH, Distribution::ELASTICSEARCH_7_17, Distribution::OPENSEARCH] {
        let t = Instant::now();
        let engine = Engine::start(d).await?;
        eprintln!("{d:?} boot {:?}", t.elapsed());
        for _ in 0..4 {
            let t = Instant::now();
            Installation::create(&engine, &unique_prefix()).await?;
            eprintln!("full {:?}", t.elapsed());
            let t = Instant::now();
            Installation::minimal(&engine, &unique_prefix()).await?;
            eprintln!("minimal {:?}", t.elapsed());
        }
        let t = Instant::now();
        Installation::large(&engine, &unique_prefix(), 5000).await?;
        eprintln!("large 6*5000 {:?}", t.elapsed());
    }
    Ok(())
}
