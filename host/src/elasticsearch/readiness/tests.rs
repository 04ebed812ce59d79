use std::sync::Arc;

use backup_core::memory::{Dialect, MemoryEngine};

use super::*;
use crate::elasticsearch::Method;
use crate::elasticsearch::{Destination, Granted, Grants, ResponseFuture, Transport};

/// The engine in memory, in a cluster whose nodes may not be able to write.
struct Cluster {
    engine: MemoryEngine,
    verifies: std::sync::Mutex<(u16, usize)>,
    delay: Duration,
}

impl Transport for Cluster {
    fn send<'a>(&'a self, request: &'a Granted, _: Duration) -> ResponseFuture<'a> {
        use backup_core::Engine as _;

        Box::pin(async move {
            if !self.delay.is_zero() {
                tokio::time::sleep(self.delay).await;
            }
            if request.request().method != Method::Post {
                return self.engine.send(request.request());
            }
            let mut verifies = self.verifies.lock().unwrap();
            verifies.1 += 1;
            let body =
                r#"{"error":{"type":"repository_verification_exception","reason":"not accessible"},"status":500}"#;
            Ok(Response { status: verifies.0, retry_after: None, body: body.to_owned() })
        })
    }

    fn submit<'a>(&'a self, request: &'a Granted, timeout: Duration) -> ResponseFuture<'a> {
        self.send(request, timeout)
    }
}

fn readiness() -> (Arc<Cluster>, Readiness) {
    readiness_after(Duration::ZERO)
}

/// Of a cluster that takes this long for each answer.
fn readiness_after(delay: Duration) -> (Arc<Cluster>, Readiness) {
    let engine = MemoryEngine::new(Dialect::Elasticsearch8_19);
    let cluster = Arc::new(Cluster { engine, verifies: std::sync::Mutex::new((200, 0)), delay });
    let repository = RepositoryName::parse("backups").ok();
    let prefix = IndexPrefix::parse("optimize").unwrap();
    let grants = Grants::new(repository.clone(), prefix.clone());
    let capability = Capability::new(Destination::cluster(Arc::clone(&cluster) as _), grants);
    let subject = Subject { engine: EngineKind::Elasticsearch, repository, prefix };
    (cluster, Readiness::new(capability, subject))
}

fn install(engine: &MemoryEngine) {
    for index in ["metadata_v3", "settings_v3", "timestamp-based-import-index_v5"] {
        engine.add_index(&format!("optimize-{index}"));
    }
}

fn asked(cluster: &Cluster, text: &str) -> usize {
    cluster.engine.requests().iter().filter(|request| request.to_string().contains(text)).count()
}

#[tokio::test(start_paused = true)]
async fn the_engine_is_asked_once_a_second_however_many_ask() {
    let (cluster, readiness) = readiness();
    assert_eq!(readiness.last(), None);
    for _ in 0..10 {
        assert_eq!(readiness.probe().await.first_fault().unwrap().0, "repository");
    }
    assert_eq!(asked(&cluster, "_snapshot"), 1);
    cluster.engine.add_repository("backups", false);
    assert_eq!(readiness.last().unwrap().first_fault().unwrap().0, "repository", "this asks nobody");
    tokio::time::advance(MAX_AGE).await;
    assert_eq!(readiness.probe().await.first_fault().unwrap().0, "indices");
    assert_eq!(asked(&cluster, "_snapshot"), 2);
}

#[tokio::test(start_paused = true)]
async fn callers_who_hang_up_begin_no_further_looks() {
    let (cluster, readiness) = readiness_after(Duration::from_millis(300));
    for _ in 0..5 {
        let hung_up = tokio::time::timeout(Duration::from_millis(10), readiness.probe()).await;
        assert!(hung_up.is_err());
    }
    assert_eq!(readiness.probe().await.first_fault().unwrap().0, "repository");
    assert_eq!(asked(&cluster, "_snapshot"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_costs_more_is_asked_less_often() {
    let (cluster, readiness) = readiness();
    cluster.engine.add_repository("backups", false);
    install(&cluster.engine);
    for _ in 0..=60 {
        assert!(readiness.probe().await.is_ready());
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(asked(&cluster, "_snapshot"), 61);
    assert_eq!(asked(&cluster, "_resolve"), 3);
    assert_eq!(cluster.verifies.lock().unwrap().1, 1);
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_cannot_be_written_to_is_verified_again_soon() {
    let (cluster, readiness) = readiness();
    cluster.engine.add_repository("backups", false);
    install(&cluster.engine);
    cluster.verifies.lock().unwrap().0 = 500;
    assert_eq!(readiness.probe().await.first_fault().unwrap().0, "repository");
    *cluster.verifies.lock().unwrap() = (200, 0);
    tokio::time::advance(Duration::from_secs(29)).await;
    assert!(!readiness.probe().await.is_ready());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(readiness.probe().await.is_ready());
    tokio::time::advance(Duration::from_secs(599)).await;
    readiness.probe().await;
    assert_eq!(cluster.verifies.lock().unwrap().1, 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    readiness.probe().await;
    assert_eq!(cluster.verifies.lock().unwrap().1, 2);
}

/// Elsewhere it is another storage, also under the same name.
#[tokio::test(start_paused = true)]
async fn a_repository_that_is_registered_anew_is_verified_at_once() {
    let (cluster, readiness) = readiness();
    cluster.engine.add_repository("backups", true);
    install(&cluster.engine);
    assert_eq!(readiness.probe().await.first_fault().unwrap().0, "repository");
    assert_eq!(cluster.verifies.lock().unwrap().1, 0, "nothing is written to it");
    cluster.engine.add_repository("backups", false);
    tokio::time::advance(MAX_AGE).await;
    assert!(readiness.probe().await.is_ready());
    assert_eq!(cluster.verifies.lock().unwrap().1, 1);
}
