//! `/actuator/retention` and `/actuator/schedule`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use backup_actuator::{ExpiredView, RetentionRequest, RetentionView, RulesView, ScheduleView, SlotView};

use super::body::JsonBody;
use super::openapi::{ExpiryErrors, ScheduleErrors};
use super::{Api, ApiError};
use crate::backups::{LastSlot, Plan};
use crate::sandbox::retention::Expired;

/// How many slots that have passed are told.
const LAST_SLOTS: usize = 5;

/// Shows which backups expire, or deletes them.
///
/// With `dryRun` nothing is deleted. Otherwise they are deleted from now on, one after the other.
#[utoipa::path(
    post,
    path = "/actuator/retention",
    tag = "backups",
    operation_id = "expireBackups",
    request_body(content = RetentionRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "With dryRun: what expires.", body = RetentionView),
        (status = 202, description = "What is deleted.", body = RetentionView),
        ExpiryErrors
    )
)]
pub(super) async fn expire(
    State(api): State<Arc<Api>>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<RetentionView>), ApiError> {
    let RetentionRequest { dry_run } = RetentionRequest::parse(&body)?;
    let Plan { suspended, expired, .. } = api.retention.plan().await?;
    if !dry_run {
        api.retention.want();
    }
    let view = |Expired { backup_id, reason }| ExpiredView { backup_id, reason };
    let body = RetentionView {
        dry_run,
        rules: RulesView::from(api.retention.rules()),
        suspended,
        expired: expired.into_iter().map(view).collect(),
    };
    Ok((if dry_run { StatusCode::OK } else { StatusCode::ACCEPTED }, Json(body)))
}

/// Shows when backups are made without a request, and which are deleted.
#[utoipa::path(
    get,
    path = "/actuator/schedule",
    tag = "backups",
    operation_id = "getSchedule",
    responses((status = 200, description = "The schedule.", body = ScheduleView), ScheduleErrors)
)]
pub(super) async fn schedule(State(api): State<Arc<Api>>) -> Result<Json<ScheduleView>, ApiError> {
    let (scheduler, presentation) = (&api.scheduler, &api.presentation);
    let view = |LastSlot { slot, backup }: LastSlot| {
        Some(SlotView {
            slot: presentation.time(slot)?,
            backup_id: backup.map(|(id, _)| id),
            state: backup.map(|(_, state)| presentation.state(state.into()).into()),
        })
    };
    let last_slots = scheduler.last_slots(LAST_SLOTS).await?.into_iter().filter_map(view).collect();
    Ok(Json(ScheduleView {
        cron: scheduler.schedule().map(|schedule| schedule.cron.to_string()),
        time_zone: scheduler.schedule().map(|schedule| schedule.zone_name().to_owned()),
        next_slot: scheduler.next_slot().and_then(|slot| presentation.time(slot)),
        last_slots,
        trouble: scheduler.trouble(),
        retention: RulesView::from(api.retention.rules()),
    }))
}
