use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::{Api, ApiError};

/// The endpoints, by the names and in the form of Spring Boot's actuator.
const LINKS: [(&str, &str); 11] = [
    ("self", ""),
    ("backups", "/backups"),
    ("backups-backupId", "/backups/{backupId}"),
    ("health", "/health"),
    ("health-liveness", "/health/liveness"),
    ("health-readiness", "/health/readiness"),
    ("info", "/info"),
    ("policy", "/policy"),
    ("policy-rollback", "/policy/rollback"),
    ("policy-shadow", "/policy/shadow"),
    ("prometheus", "/prometheus"),
];

pub(super) async fn links(headers: HeaderMap) -> Json<Value> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let link = |&(name, path): &(&str, &str)| {
        let href = format!("http://{host}/actuator{path}");
        (name.to_owned(), json!({"href": href, "templated": path.contains('{')}))
    };
    Json(json!({"_links": LINKS.iter().map(link).collect::<Map<_, _>>()}))
}

pub(super) async fn info() -> Json<Value> {
    Json(json!({"app": {
        "name": env!("CARGO_PKG_NAME"),
        "description": env!("CARGO_PKG_DESCRIPTION"),
        "version": env!("CARGO_PKG_VERSION"),
    }}))
}

pub(super) async fn prometheus(State(api): State<Arc<Api>>) -> Result<impl IntoResponse, ApiError> {
    let text = api.metrics.render().map_err(|fault| ApiError::Internal(fault.to_string()))?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
