//! `/actuator/loggers`, in the form of Spring Boot's actuator.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use backup_actuator::{MAX_BODY_BYTES, RequestError, expect_json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::openapi::{LoggerChangeErrors, LoggerErrors, NoErrors};
use super::{Api, ApiError, body};
use crate::telemetry::{LogLevel, LoggerLevels};

#[derive(Serialize, ToSchema)]
#[schema(as = Loggers)]
pub(super) struct LoggersView {
    levels: [String; 6],
    loggers: BTreeMap<String, LoggerView>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Logger)]
pub(super) struct LoggerView {
    #[serde(skip_serializing_if = "Option::is_none")]
    configured_level: Option<String>,
    effective_level: String,
}

/// The body of a change: a level, or none to take it away.
pub(super) struct LevelBody(Option<LogLevel>);

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LevelChange {
    /// OFF, ERROR, WARN, INFO, DEBUG or TRACE, in any case. Null: none of its own.
    #[schema(pattern = "^(OFF|ERROR|WARN|INFO|DEBUG|TRACE)$", example = "DEBUG")]
    configured_level: Option<String>,
}

type Name = Result<Path<String>, PathRejection>;

/// Lists the loggers with their levels.
#[utoipa::path(
    get,
    path = "/actuator/loggers",
    tag = "server",
    operation_id = "listLoggers",
    responses((status = 200, description = "The loggers.", body = LoggersView), NoErrors)
)]
pub(super) async fn list(State(api): State<Arc<Api>>) -> Json<LoggersView> {
    let loggers = api.loggers.all().into_iter().map(|(name, levels)| (name, levels.into())).collect();
    Json(LoggersView { levels: LogLevel::ALL.map(|level| level.to_string()), loggers })
}

/// Shows the levels of a logger.
#[utoipa::path(
    get,
    path = "/actuator/loggers/{name}",
    tag = "server",
    operation_id = "getLogger",
    params(("name" = String, Path, description = "Its name.", example = "ROOT")),
    responses((status = 200, description = "Its levels.", body = LoggerView), LoggerErrors)
)]
pub(super) async fn show(State(api): State<Arc<Api>>, name: Name) -> Result<Json<LoggerView>, ApiError> {
    let Path(name) = name.map_err(|_| ApiError::UnknownLogger)?;
    let levels = api.loggers.get(&name).ok_or(ApiError::UnknownLogger)?;
    Ok(Json(levels.into()))
}

/// Changes the level of a logger.
#[utoipa::path(
    post,
    path = "/actuator/loggers/{name}",
    tag = "server",
    operation_id = "setLogger",
    params(("name" = String, Path, description = "Its name.", example = "ROOT")),
    request_body(content = LevelChange, content_type = "application/json"),
    responses((status = 204, description = "It has that level."), LoggerChangeErrors)
)]
pub(super) async fn set(
    State(api): State<Arc<Api>>,
    name: Name,
    LevelBody(level): LevelBody,
) -> Result<StatusCode, ApiError> {
    let Path(name) = name.map_err(|_| ApiError::UnknownLogger)?;
    api.loggers.set(&name, level).ok_or(ApiError::UnknownLogger)?;
    // At a level that hides this line, the change is seen in the loggers.
    let level = level.map(|level| level.to_string());
    tracing::info!(changedLogger = name, newLevel = level, "the level of a logger is changed");
    Ok(StatusCode::NO_CONTENT)
}

impl From<LoggerLevels> for LoggerView {
    fn from(levels: LoggerLevels) -> Self {
        Self {
            configured_level: levels.configured.map(|level| level.to_string()),
            effective_level: levels.effective.to_string(),
        }
    }
}

impl<S: Sync> FromRequest<S> for LevelBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        if !content_type.is_some_and(is_of_actuator) {
            expect_json(content_type)?;
        }
        let body = body::read(request.into_body(), MAX_BODY_BYTES).await.ok_or(RequestError::BodyTooLarge)?;
        Self::parse(&body)
    }
}

/// What Spring Boot's own clients send.
fn is_of_actuator(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    ["application/vnd.spring-boot.actuator.v3+json", "application/vnd.spring-boot.actuator.v2+json"]
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known))
}

impl LevelBody {
    fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let text = std::str::from_utf8(body).map_err(|error| ApiError::InvalidLogLevel(error.to_string()))?;
        let LevelChange { configured_level } =
            backup_core::json::object(text).map_err(|error| ApiError::InvalidLogLevel(error.to_string()))?;
        let Some(level) = configured_level else { return Ok(Self(None)) };
        let parsed = LogLevel::parse(&level);
        let found = || format!("'{}'", backup_core::text::excerpt(&level, 80));
        parsed.map(|level| Self(Some(level))).ok_or_else(|| ApiError::InvalidLogLevel(found()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_a_level_in_any_case_or_none() {
        let parse = |body: &str| LevelBody::parse(body.as_bytes()).map(|LevelBody(level)| level).ok();
        assert_eq!(parse(r#"{"configuredLevel":"debug"}"#), Some(Some(LogLevel::Debug)));
        assert_eq!(parse(r#"{"configuredLevel":null}"#), Some(None));
        assert_eq!(parse("{}"), Some(None));
        for body in ["", "DEBUG", "[]", r#"{"configuredLevel":"LOUD"}"#, r#"{"configuredLevel":5}"#] {
            assert_eq!(parse(body), None, "{body}");
        }
    }
}
