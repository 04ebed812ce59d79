use std::sync::Arc;
use std::time::Duration;

use backup_core::memory::{Dialect, MemoryEngine};
use backup_core::{IndexPrefix, RepositoryName, Request};

use super::*;
use crate::elasticsearch::{Destination, Grants, LargeResponsePermit, Method, Scope};

const BUDGET: Duration = Duration::from_secs(1);

fn granted(path: &[&str]) -> Granted {
    let grants = Grants::new(RepositoryName::parse("backups").ok(), IndexPrefix::parse("optimize").unwrap());
    let path = path.iter().map(|&segment| segment.to_owned()).collect();
    grants.check(Request { method: Method::Get, path, query: Vec::new(), body: None }, Scope::Read).unwrap()
}

fn list() -> Granted {
    granted(&["_snapshot", "backups", "camunda_optimize_*"])
}

/// An engine, and the destinations of a recorded and of a replayed call.
fn engine(max_bytes: usize) -> (Arc<MemoryEngine>, Destination, Destination, Arc<Recording>) {
    let engine = Arc::new(MemoryEngine::new(Dialect::Elasticsearch8_19));
    let destination = Arc::new(Destination::InProcess(Arc::clone(&engine) as _));
    let recording = Arc::new(Recording::new(max_bytes));
    let recorded = Destination::Recorded(Arc::clone(&destination), Arc::clone(&recording));
    (engine, recorded, Destination::Replayed(destination, Arc::clone(&recording)), recording)
}

#[tokio::test]
async fn the_second_call_is_told_what_the_first_one_was() {
    let (engine, recorded, replayed, recording) = engine(10_000);
    let missing = recorded.send(&list(), BUDGET, &LargeResponsePermit::default()).await;
    engine.add_repository("backups", false);
    let empty = recorded.send(&list(), BUDGET, &LargeResponsePermit::default()).await;
    assert_ne!(missing, empty);
    for expected in [&missing, &empty, &empty] {
        assert_eq!(replayed.send(&list(), BUDGET, &LargeResponsePermit::default()).await, *expected);
    }
    assert_eq!((engine.requests().len(), recording.misses()), (2, 0));
    let misses = granted(&["_snapshot", "backups"]);
    assert_eq!(replayed.send(&misses, BUDGET, &LargeResponsePermit::default()).await.unwrap().status, 200);
    assert_eq!((engine.requests().len(), recording.misses()), (3, 1));
}

#[tokio::test]
async fn of_too_much_nothing_is_kept() {
    let (_, recorded, _, recording) = engine(1000);
    assert!(recording.is_complete());
    for _ in 0..20 {
        assert!(recorded.send(&list(), BUDGET, &LargeResponsePermit::default()).await.is_ok());
    }
    assert!(!recording.is_complete());
    assert!(recording.replay(&list()).is_none());
}
