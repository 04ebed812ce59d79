use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::LINK;
use axum::http::{HeaderName, StatusCode};

use backup_actuator::{BackupView, CreateRequest, Message, ProgressView, list_query, next_link};

use super::body::CreateBody;
use super::openapi::{CreateErrors, DeleteErrors, GetErrors, ListErrors};
use super::{Api, ApiError};

type Id = Result<Path<String>, PathRejection>;

/// Makes a backup.
///
/// The 202 is sent once the search engine has accepted part 1. GET tells when the backup has ended.
#[utoipa::path(
    post,
    path = "/actuator/backups",
    tag = "backups",
    operation_id = "createBackup",
    request_body(content = CreateRequest, content_type = "application/json"),
    responses((status = 202, description = "Part 1 is accepted.", body = Message), CreateErrors)
)]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    CreateBody(request): CreateBody,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let accepted = api.service.create(&request.backup_id).await?;
    Ok((StatusCode::ACCEPTED, Json(Message::scheduled(accepted.backup_id))))
}

/// Shows one backup.
#[utoipa::path(
    get,
    path = "/actuator/backups/{backupId}",
    tag = "backups",
    operation_id = "getBackup",
    params(("backupId" = i64, Path, description = "Its ID.", minimum = 1, example = 123_456)),
    responses((status = 200, description = "The backup.", body = BackupView), GetErrors)
)]
pub(super) async fn get(State(api): State<Arc<Api>>, id: Id) -> Result<Json<BackupView>, ApiError> {
    let backup = api.service.get(&id?).await?;
    Ok(Json(BackupView::new(backup.into(), &api.presentation)))
}

/// Shows how far a backup is.
#[utoipa::path(
    get,
    path = "/actuator/backups/{backupId}/progress",
    tag = "backups",
    operation_id = "getProgress",
    params(("backupId" = i64, Path, description = "Its ID.", minimum = 1, example = 123_456)),
    responses((status = 200, description = "How far it is.", body = ProgressView), GetErrors)
)]
pub(super) async fn progress(State(api): State<Arc<Api>>, id: Id) -> Result<Json<ProgressView>, ApiError> {
    let progress = api.service.progress(&id?).await?;
    Ok(Json(ProgressView::new(progress.into(), &api.presentation)))
}

/// Lists backups, largest ID first.
#[utoipa::path(
    get,
    path = "/actuator/backups",
    tag = "backups",
    operation_id = "listBackups",
    params(
        ("pattern" = Option<String>, Query, description = "Those whose IDs start with these digits; without * only that one.",
            pattern = "^([1-9][0-9]{0,17})?\\*$|^[1-9][0-9]{0,17}$", example = "2026*"),
        ("before" = Option<i64>, Query, description = "Those below this ID.", minimum = 1, example = 20_261_123),
        ("limit" = Option<u16>, Query, description = "The largest IDs of those, so many.", minimum = 1, maximum = 1000),
        ("verbose" = Option<bool>, Query, description = "false: told by names and states as far as possible, without \
            the search engine's metadata of each snapshot."),
    ),
    responses(
        (status = 200, description = "The backups.", body = Vec<BackupView>, headers(
            ("Link" = String, description = "The parameters of the next page, where there is one: <?limit=100&before=7>; rel=\"next\"")
        )),
        ListErrors
    )
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<(Option<[(HeaderName, String); 1]>, Json<Vec<BackupView>>), ApiError> {
    let query = list_query(query.as_deref())?;
    let page = api.service.list((&query).into()).await?;
    let backups = page.backups.into_iter().map(|backup| BackupView::new(backup.into(), &api.presentation)).collect();
    Ok((next_link(&query, page.next).map(|link| [(LINK, link)]), Json(backups)))
}

/// Deletes a backup.
///
/// The search engine can work on it for minutes after the 204. Health tells what is pending and what failed.
#[utoipa::path(
    delete,
    path = "/actuator/backups/{backupId}",
    tag = "backups",
    operation_id = "deleteBackup",
    params(("backupId" = i64, Path, description = "Its ID.", minimum = 1, example = 123_456)),
    responses((status = 204, description = "The deletion is submitted, or there is no such backup."), DeleteErrors)
)]
pub(super) async fn delete(State(api): State<Arc<Api>>, id: Id) -> Result<StatusCode, ApiError> {
    api.service.delete(&id?).await?;
    Ok(StatusCode::NO_CONTENT)
}
