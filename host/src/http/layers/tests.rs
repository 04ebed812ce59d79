mod renewal;

use std::net::Ipv4Addr;

use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONNECTION};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tower::ServiceExt;

use super::*;
use crate::http::connections::Peer;
use crate::http::with_fallbacks;
use crate::settings::{Caller, Role};
use crate::telemetry::captured::Log;

const TOKEN: &str = "the-token-of-an-operator";

/// What an operator with [`TOKEN`] can call.
struct Fixture {
    routes: Router,
    stopping: CancellationToken,
    callers: Arc<Callers>,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempdir().unwrap();
        let token_file = folder.path().join("token");
        std::fs::write(&token_file, TOKEN).unwrap();
        let caller = Caller { name: "nightly".to_owned(), role: Role::Operator, token_file };
        let callers = Arc::new(Callers::new(vec![caller], false).unwrap());
        let stopping = CancellationToken::new();
        let routes = Router::new()
            .route(
                "/actuator/backups",
                get(|| async { "all" }).post(async |body: crate::http::body::CreateBody| drop(body)),
            )
            .route("/actuator/backups/{backupId}", get(|| async { "one" }).delete(async || StatusCode::NO_CONTENT))
            .route("/actuator/policy/rollback", post(|| async {}))
            .route("/actuator/health/readiness", get(|| async { "up" }))
            .route("/actuator/never", post(std::future::pending::<()>));
        Self { routes: with_layers(with_fallbacks(routes), &callers, &stopping), stopping, callers, folder }
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, HeaderMap, Value) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        let address = (Ipv4Addr::new(10, 0, 3, 17), 51432).into();
        request.extensions_mut().insert(Peer { address, certified: None });
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
        (status, headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn every_response_has_the_requests_id_or_a_new_one() {
    let fixture = Fixture::new();
    let authorization = bearer(TOKEN);
    for (path, sent, status) in
        [("/actuator/backups", "7-of-9", 200), ("/nowhere", "8", 404), ("/actuator/backups", "9", 200)]
    {
        let headers = [("authorization", authorization.as_str()), ("x-request-id", sent)];
        let (found, response, _) = fixture.call("GET", path, &headers, "").await;
        assert_eq!((found.as_u16(), response["x-request-id"].to_str().unwrap()), (status, sent), "{path}");
    }
    let (status, response, _) = fixture.call("GET", "/actuator/backups", &[("x-request-id", "two words")], "").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(response["x-request-id"].len(), 36);
}

#[tokio::test]
async fn a_line_has_the_requests_id_at_any_level() {
    for level in [tracing::Level::WARN, tracing::Level::INFO] {
        let fixture = Fixture::new();
        let (log, _guard) = Log::begin_at(level);
        fixture.stopping.cancel();
        fixture.call("GET", "/actuator/health/readiness", &[("x-request-id", "r1")], "").await;
        let lines = log.lines();
        assert_eq!((lines.len(), &lines[0]["span"]["requestId"]), (1, &json!("r1")), "{lines:?}");
    }
}

#[tokio::test]
async fn whoever_changed_something_is_in_the_log() {
    let fixture = Fixture::new();
    let authorization = bearer(TOKEN);
    let (log, _guard) = Log::begin();
    let headers =
        [("authorization", authorization.as_str()), ("x-request-id", "r1"), ("content-type", "application/json")];
    fixture.call("GET", "/actuator/backups/7", &headers, "").await;
    assert_eq!(log.audit(), [json!(null); 0]);
    fixture.call("DELETE", "/actuator/backups/7", &headers, "").await;
    fixture.call("POST", "/actuator/backups", &headers, r#"{"backupId": 8}"#).await;
    fixture.call("POST", "/actuator/policy/rollback?generation=1", &headers, "").await;
    fixture.call("DELETE", "/actuator/backups/7", &headers[1..], "").await;
    let by_nightly = json!({
        "message": "audit", "requestId": "r1", "caller": "nightly", "role": "operator", "peer": "10.0.3.17:51432",
        "method": "DELETE", "path": "/actuator/backups/7", "backupId": 7, "status": 204, "outcome": "done",
    });
    let with = |changes: &[Value]| {
        let mut line = by_nightly.clone();
        let line_fields = line.as_object_mut().unwrap();
        line_fields.extend(changes.iter().flat_map(|change| change.as_object().unwrap().clone()));
        line_fields.retain(|_, value| !value.is_null());
        line
    };
    let refused = |status: u16, code: &str| json!({"status": status, "errorCode": code, "outcome": "refused"});
    let rollback = json!({"method": "POST", "path": "/actuator/policy/rollback?generation=1", "backupId": null});
    let expected = [
        by_nightly.clone(),
        with(&[json!({"method": "POST", "path": "/actuator/backups", "backupId": 8, "status": 200})]),
        with(&[rollback, refused(403, "forbidden")]),
        with(&[json!({"caller": "nobody", "role": null}), refused(401, "unauthorized")]),
    ];
    assert_eq!(log.audit(), expected);
}

#[tokio::test]
async fn whoever_hangs_up_is_in_the_log_too() {
    let mut fixture = Fixture::new();
    let open = Arc::new(Callers::new(Vec::new(), false).unwrap());
    let routes = Router::new().route("/actuator/never", post(std::future::pending::<()>));
    fixture.routes = with_layers(with_fallbacks(routes), &open, &fixture.stopping);
    let (log, _guard) = Log::begin();
    tokio::select! {
        _ = fixture.call("POST", "/actuator/never", &[("x-request-id", "r1")], "") => unreachable!(),
        () = tokio::task::yield_now() => {}
    }
    let lines = log.audit();
    assert_eq!((&lines[0]["outcome"], &lines[0]["caller"]), (&json!("not awaited"), &json!("anybody")), "{lines:?}");
}

#[tokio::test]
async fn readiness_is_down_before_the_end() {
    let fixture = Fixture::new();
    let (status, headers, _) = fixture.call("GET", "/actuator/health/readiness", &[], "").await;
    assert_eq!((status, headers.get(CONNECTION)), (StatusCode::OK, None));
    fixture.stopping.cancel();
    let (status, headers, body) = fixture.call("GET", "/actuator/health/readiness", &[], "").await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("serverStopping")));
    assert_eq!(headers[CONNECTION], "close");
    let (status, headers, _) =
        fixture.call("GET", "/actuator/backups", &[(AUTHORIZATION.as_str(), &bearer(TOKEN))], "").await;
    assert_eq!((status, &headers[CONNECTION]), (StatusCode::OK, &"close".parse().unwrap()));
}
