use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::LINK;
use axum::http::{HeaderName, StatusCode};

use backup_actuator::{BackupView, Message, ProgressView, list_query, next_link};

use super::body::CreateBody;
use super::{Api, ApiError};

type Id = Result<Path<String>, PathRejection>;

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    CreateBody(request): CreateBody,
) -> Result<(StatusCode, Json<Message>), ApiError> {
    let accepted = api.service.create(&request.backup_id).await?;
    Ok((StatusCode::ACCEPTED, Json(Message::scheduled(accepted.backup_id))))
}

pub(super) async fn get(State(api): State<Arc<Api>>, id: Id) -> Result<Json<BackupView>, ApiError> {
    let backup = api.service.get(&id?).await?;
    Ok(Json(BackupView::new(backup.into(), &api.presentation)))
}

pub(super) async fn progress(State(api): State<Arc<Api>>, id: Id) -> Result<Json<ProgressView>, ApiError> {
    let progress = api.service.progress(&id?).await?;
    Ok(Json(ProgressView::new(progress.into(), &api.presentation)))
}

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<(Option<[(HeaderName, String); 1]>, Json<Vec<BackupView>>), ApiError> {
    let query = list_query(query.as_deref())?;
    let page = api.service.list((&query).into()).await?;
    let backups = page.backups.into_iter().map(|backup| BackupView::new(backup.into(), &api.presentation)).collect();
    Ok((next_link(&query, page.next).map(|link| [(LINK, link)]), Json(backups)))
}

pub(super) async fn delete(State(api): State<Arc<Api>>, id: Id) -> Result<StatusCode, ApiError> {
    api.service.delete(&id?).await?;
    Ok(StatusCode::NO_CONTENT)
}
