use backup_core::{IndexPrefix, Request};

use super::*;
use crate::elasticsearch::{Capability, Destination, Grants, Scope};
use crate::metrics::Metrics;

/// Answers each request as it is told.
struct Told(fn() -> Result<Response, TransportError>);

impl Transport for Told {
    fn send<'a>(&'a self, _: &'a Granted, _: Duration) -> ResponseFuture<'a> {
        Box::pin(async { self.0() })
    }

    fn submit<'a>(&'a self, _: &'a Granted, _: Duration) -> ResponseFuture<'a> {
        Box::pin(std::future::pending())
    }
}

fn grants() -> Grants {
    Grants::new(None, IndexPrefix::parse("optimize").unwrap())
}

fn status(status: u16) -> Result<Response, TransportError> {
    Ok(Response { status, retry_after: None, body: String::new() })
}

fn expect(metrics: &Metrics, kind: &str, outcome: &str, count: u64) {
    let line =
        format!("optimize_backup_elasticsearch_request_seconds_count{{kind=\"{kind}\",outcome=\"{outcome}\"}} {count}");
    let text = metrics.render().unwrap();
    assert!(text.lines().any(|found| found == line), "{line}\n{text}");
}

#[tokio::test]
async fn each_request_counts_with_its_kind_and_what_became_of_it() {
    let metrics = Metrics::new().unwrap();
    let nodes = grants().check(Request::node_versions(), Scope::Read).unwrap();
    let minute = Duration::from_secs(60);
    let cases: [(fn() -> _, Duration, &str); 6] = [
        (|| status(201), minute, "ok"),
        (|| status(404), minute, "4xx"),
        (|| status(503), minute, "5xx"),
        (|| Err(TransportError::Unreachable(String::new())), minute, "unreachable"),
        (|| Err(TransportError::Interrupted(String::new())), minute, "interrupted"),
        (|| Err(TransportError::Interrupted(String::new())), Duration::ZERO, "timeout"),
    ];
    for (answer, timeout, outcome) in cases {
        expect(&metrics, "nodes", outcome, 0);
        let measured = Measured::new(Arc::new(Told(answer)), minute, metrics.engine.clone());
        drop(measured.send(&nodes, timeout).await);
        expect(&metrics, "nodes", outcome, 1);
    }

    let measured = Measured::new(Arc::new(Told(|| status(200))), minute, metrics.engine.clone());
    let waiting = tokio::time::timeout(Duration::ZERO, measured.submit(&nodes, minute));
    waiting.await.unwrap_err();
    expect(&metrics, "nodes", "abandoned", 1);
}

#[tokio::test]
async fn a_denied_request_is_of_no_kind() {
    let metrics = Metrics::new().unwrap();
    let transport = Arc::new(Told(|| status(200)));
    let capability =
        Capability::new(Destination::cluster(transport), grants()).counted_by(Some(metrics.engine.clone()));
    let request = Request { path: vec!["_all".to_owned()], ..Request::node_versions() };
    capability.read_once(request, Duration::from_secs(1)).await.unwrap_err();
    expect(&metrics, "other", "denied", 1);
}
