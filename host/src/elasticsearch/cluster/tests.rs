use std::sync::atomic::{AtomicUsize, Ordering};

use backup_core::IndexPrefix;
use futures::future::join_all;

use super::*;
use crate::elasticsearch::{Grants, ResponseFuture, Scope};

/// Answers after a second, at first with this status.
struct SlowNodes {
    first: u16,
    asked: AtomicUsize,
}

impl Transport for SlowNodes {
    fn send<'a>(&'a self, _: &'a Granted, _: Duration) -> ResponseFuture<'a> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let number = 1 + self.asked.fetch_add(1, Ordering::Relaxed);
            let status = if number == 1 { self.first } else { 200 };
            Ok(Response { status, retry_after: None, body: format!("answer {number}") })
        })
    }

    fn submit<'a>(&'a self, request: &'a Granted, timeout: Duration) -> ResponseFuture<'a> {
        self.send(request, timeout)
    }
}

fn granted(request: Request) -> Granted {
    Grants::new(None, IndexPrefix::parse("optimize").unwrap()).check(request, Scope::Read).unwrap()
}

fn cluster(first: u16) -> (Arc<SlowNodes>, Cluster) {
    let nodes = Arc::new(SlowNodes { first, asked: AtomicUsize::new(0) });
    (Arc::clone(&nodes), Cluster::new(nodes))
}

async fn ask(cluster: &Cluster, request: Request, budget: u64) -> Result<String, TransportError> {
    let response =
        cluster.send(&granted(request), Duration::from_secs(budget), &LargeResponsePermit::default()).await?;
    Ok(response.body)
}

#[tokio::test(start_paused = true)]
async fn the_nodes_are_asked_once_in_ten_seconds_however_many_ask() {
    let (nodes, cluster) = cluster(200);
    let versions = || ask(&cluster, Request::node_versions(), 60);
    for answer in join_all((0..20).map(|_| versions())).await {
        assert_eq!(answer.unwrap(), "answer 1");
    }
    tokio::time::advance(MAX_AGE - Duration::from_secs(1)).await;
    assert_eq!(versions().await.unwrap(), "answer 1");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(versions().await.unwrap(), "answer 2");
    assert_eq!(nodes.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_kept_for_nobody_and_no_other_answer_either() {
    let (_, cluster) = cluster(403);
    assert_eq!(ask(&cluster, Request::node_versions(), 60).await.unwrap(), "answer 1");
    assert_eq!(ask(&cluster, Request::node_versions(), 60).await.unwrap(), "answer 2");
    let other = Request { path: vec!["_nodes".to_owned()], ..Request::node_versions() };
    assert_eq!(ask(&cluster, other.clone(), 60).await.unwrap(), "answer 3");
    assert_eq!(ask(&cluster, other, 60).await.unwrap(), "answer 4");
}

/// Whoever waits for another call's answer waits no longer than for its own.
#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_own_time() {
    let (_, cluster) = cluster(200);
    let held = cluster.versions.lock().await;
    let started = Instant::now();
    let error = ask(&cluster, Request::node_versions(), 3).await.unwrap_err();
    assert!(matches!(error, TransportError::Interrupted(_)), "{error}");
    assert_eq!(started.elapsed().as_secs(), 3);
    drop(held);
}
