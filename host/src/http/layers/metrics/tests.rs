use axum::body::Body;
use axum::http::{self, StatusCode};
use axum::routing::{get, post};
use axum::{Router, middleware};
use backup_actuator::RequestError;
use tower::ServiceExt;

use super::*;
use crate::http::error::ApiError;
use crate::http::with_fallbacks;
use crate::sandbox::CallError;
use crate::sandbox::types::{Error, Problem};

async fn create(body: String) -> Result<StatusCode, ApiError> {
    let problem = || Problem { code: "aCode".to_owned(), message: String::new(), detail: None };
    Err(match body.as_str() {
        "new" => return Ok(StatusCode::ACCEPTED),
        "used" => CallError::Refused(Error::Conflict(problem())).into(),
        "no repository" => CallError::Refused(Error::Configuration(problem())).into(),
        "trap" => CallError::Trapped(String::new()).into(),
        "busy" => CallError::Busy.into(),
        "defect" => panic!("a defect"),
        _ => RequestError::BackupIdMissing.into(),
    })
}

#[tokio::test]
async fn paths_count_by_their_route_and_refused_posts_by_their_class() {
    let metrics = Arc::new(Metrics::new().unwrap());
    let routes =
        Router::new().route("/actuator/backups", post(create)).route("/actuator/backups/{backupId}", get(|| async {}));
    let routes = with_fallbacks(routes).layer(middleware::from_fn_with_state(Arc::clone(&metrics), measure));
    for (method, path, body) in [
        ("GET", "/actuator/backups/1", ""),
        ("GET", "/actuator/backups/2", ""),
        ("DELETE", "/actuator/backups/2", ""),
        ("GET", "/nothing/here", ""),
        ("BREW", "/nothing/there", ""),
        ("POST", "/actuator/backups", "new"),
        ("POST", "/actuator/backups", "used"),
        ("POST", "/actuator/backups", "used"),
        ("POST", "/actuator/backups", "no repository"),
        ("POST", "/actuator/backups", "trap"),
        ("POST", "/actuator/backups", "busy"),
        ("POST", "/actuator/backups", "defect"),
        ("POST", "/actuator/backups", "?"),
    ] {
        let request = http::Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
        routes.clone().oneshot(request).await.unwrap();
    }

    let text = metrics.render().unwrap();
    for line in [
        r#"http_server_requests_seconds_count{method="GET",status="200",uri="/actuator/backups/{backupId}"} 2"#,
        r#"http_server_requests_seconds_count{method="DELETE",status="405",uri="/actuator/backups/{backupId}"} 1"#,
        r#"http_server_requests_seconds_count{method="GET",status="404",uri="UNKNOWN"} 1"#,
        r#"http_server_requests_seconds_count{method="UNKNOWN",status="404",uri="UNKNOWN"} 1"#,
        r#"http_server_requests_seconds_count{method="POST",status="500",uri="/actuator/backups"} 2"#,
        r#"optimize_backup_create_requests_total{outcome="accepted"} 1"#,
        r#"optimize_backup_create_requests_total{outcome="conflict"} 2"#,
        r#"optimize_backup_create_requests_total{outcome="configuration"} 1"#,
        r#"optimize_backup_create_requests_total{outcome="policy_failure"} 1"#,
        r#"optimize_backup_create_requests_total{outcome="busy"} 1"#,
        r#"optimize_backup_create_requests_total{outcome="internal"} 1"#,
        r#"optimize_backup_create_requests_total{outcome="invalid_request"} 1"#,
        r#"optimize_backup_create_requests_total{outcome="unreachable"} 0"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
