use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::response::IntoResponse;
use backup_actuator::{HealthStatus, Info, Links};

use super::openapi::NoErrors;
use super::{Api, ApiError};

/// The endpoints, by the names of Spring Boot's actuator.
pub(super) const LINKS: [(&str, &str); 19] = [
    ("self", ""),
    ("backups", "/backups"),
    ("backups-backupId", "/backups/{backupId}"),
    ("backups-backupId-progress", "/backups/{backupId}/progress"),
    ("backups-backupId-restore", "/backups/{backupId}/restore"),
    ("backups-backupId-verify", "/backups/{backupId}/verify"),
    ("health", "/health"),
    ("health-liveness", "/health/liveness"),
    ("health-readiness", "/health/readiness"),
    ("info", "/info"),
    ("loggers", "/loggers"),
    ("loggers-name", "/loggers/{name}"),
    ("openapi", "/openapi.json"),
    ("policy", "/policy"),
    ("policy-rollback", "/policy/rollback"),
    ("policy-shadow", "/policy/shadow"),
    ("prometheus", "/prometheus"),
    ("retention", "/retention"),
    ("schedule", "/schedule"),
];

/// Links to all endpoints.
#[utoipa::path(
    get,
    path = "/actuator",
    tag = "server",
    operation_id = "getLinks",
    responses((status = 200, description = "The links.", body = Links), NoErrors)
)]
pub(super) async fn links(headers: HeaderMap) -> Json<Links> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    Json(Links::new(host, &LINKS))
}

/// Name and version of the server.
#[utoipa::path(
    get,
    path = "/actuator/info",
    tag = "server",
    operation_id = "getInfo",
    responses((status = 200, description = "Name and version.", body = Info), NoErrors)
)]
pub(super) async fn info() -> Json<Info> {
    Json(Info::new(env!("CARGO_PKG_DESCRIPTION")))
}

/// Takes over what is not counted when it happens. It waits for nothing.
fn look(api: &Api) {
    api.metrics.runs.oldest(api.service.runs.oldest_age());
    api.metrics.lines_dropped(api.loggers.dropped_lines());
    if let Some(probe) = api.readiness.last() {
        api.metrics.engine.probed(probe.is_answered(), probe.repository.status == HealthStatus::Up);
    }
}

/// The metrics, in the text format of Prometheus.
#[utoipa::path(
    get,
    path = "/actuator/prometheus",
    tag = "server",
    operation_id = "getMetrics",
    responses((status = 200, description = "The metrics.", content_type = "text/plain", body = String), NoErrors)
)]
pub(super) async fn prometheus(State(api): State<Arc<Api>>) -> Result<impl IntoResponse, ApiError> {
    look(&api);
    let text = api.metrics.render().map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
