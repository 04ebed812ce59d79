use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use backup_actuator::{Message, RequestError, RestorePlanView, RestoreRequest, RestoreView};

use super::body::JsonBody;
use super::openapi::{RestoreErrors, RestoreGetErrors};
use super::{Api, ApiError};
use crate::sandbox::restores::RestoreOptions;

type Id = Result<Path<String>, PathRejection>;

/// Plans a restore, or begins it.
///
/// With `dryRun` nothing is changed. Otherwise `confirm` has to be the installation's index prefix; the 202 is sent once
/// the plan has found nothing that stops it. GET tells when it has ended.
#[utoipa::path(
    post,
    path = "/actuator/backups/{backupId}/restore",
    tag = "backups",
    operation_id = "restoreBackup",
    params(("backupId" = i64, Path, description = "Its ID.", minimum = 1, example = 123_456)),
    request_body(content = RestoreRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "With dryRun: what it would do.", body = RestorePlanView),
        (status = 202, description = "It has begun.", body = Message),
        RestoreErrors
    )
)]
pub(super) async fn restore(
    State(api): State<Arc<Api>>,
    id: Id,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let request = RestoreRequest::parse(&body)?;
    let prefix = api.service.index_prefix();
    let options =
        RestoreOptions { rename_prefix: request.rename_prefix.clone(), overridden: request.r#override.clone() };
    if request.dry_run {
        let plan = api.service.plan_restore(&id, options).await?;
        return Ok(Json(plan.into_view(prefix)).into_response());
    }
    request.expect_confirmed(&prefix)?;
    api.service.begin_restore(&id, options).await?;
    let message = Message::restoring(id.parse().unwrap_or_default());
    Ok((StatusCode::ACCEPTED, Json(message)).into_response())
}

/// Tells where a restore stands.
#[utoipa::path(
    get,
    path = "/actuator/backups/{backupId}/restore",
    tag = "backups",
    operation_id = "getRestore",
    params(
        ("backupId" = i64, Path, description = "Its ID.", minimum = 1, example = 123_456),
        ("renamePrefix" = Option<String>, Query, description = "The prefix under which it was restored.",
            pattern = "^[a-z0-9][a-z0-9._-]{0,199}$")
    ),
    responses((status = 200, description = "Where it stands.", body = RestoreView), RestoreGetErrors)
)]
pub(super) async fn get(
    State(api): State<Arc<Api>>,
    id: Id,
    RawQuery(query): RawQuery,
) -> Result<Json<RestoreView>, ApiError> {
    let rename_prefix = rename_prefix(query.as_deref())?;
    let restore = api.service.restores.get(&id?, rename_prefix.as_deref()).await?;
    Ok(Json(restore.into()))
}

fn rename_prefix(query: Option<&str>) -> Result<Option<String>, RequestError> {
    let mut prefix = None;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != "renamePrefix" || prefix.is_some() {
            return Err(RequestError::invalid_parameter(
                &format!("'{name}' is unknown or there twice"),
                "renamePrefix",
            ));
        }
        prefix = Some(value.into_owned());
    }
    Ok(prefix)
}
