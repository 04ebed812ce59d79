use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use backup_actuator::{ByteCount, Presentation, VerificationBegun, VerificationState, VerificationView, percent};
use jiff::Timestamp;

use super::openapi::{VerificationErrors, VerificationGetErrors};
use super::{Api, ApiError};
use crate::backups::Verification;

type Id = Result<Path<String>, PathRejection>;

/// Begins the verification of a backup.
///
/// A copy of it is restored under scratch names, checked, and deleted. The 202 is sent once that may begin. GET tells when it has
/// ended, and what was found.
#[utoipa::path(
    post,
    path = "/actuator/backups/{backupId}/verify",
    tag = "backups",
    operation_id = "verifyBackup",
    params(("backupId" = i64, Path, description = "Its ID.", minimum = 1, example = 123_456)),
    responses((status = 202, description = "It has begun.", body = VerificationBegun), VerificationErrors)
)]
pub(super) async fn verify(
    State(api): State<Arc<Api>>,
    id: Id,
) -> Result<(StatusCode, Json<VerificationBegun>), ApiError> {
    let Path(id) = id?;
    let run_id = api.service.begin_verification(&id).await?;
    Ok((StatusCode::ACCEPTED, Json(VerificationBegun::new(id.parse().unwrap_or_default(), run_id))))
}

/// Tells where the verification of a backup stands, or how the last one ended on this server.
#[utoipa::path(
    get,
    path = "/actuator/backups/{backupId}/verify",
    tag = "backups",
    operation_id = "getVerification",
    params(("backupId" = i64, Path, description = "Its ID.", minimum = 1, example = 123_456)),
    responses((status = 200, description = "Where it stands.", body = VerificationView), VerificationGetErrors)
)]
pub(super) async fn get(State(api): State<Arc<Api>>, id: Id) -> Result<Json<VerificationView>, ApiError> {
    let verification = api.service.verifications.get(&id?).await?;
    Ok(Json(view(verification, &api.presentation)))
}

fn view(verification: Verification, presentation: &Presentation) -> VerificationView {
    let Verification { backup_id, state, run_id, checks, bytes, ended, failure_reason, next_step } = verification;
    let bytes = bytes.map(|bytes| ByteCount { total: bytes.total, done: bytes.done });
    let moment = |millis: u64| Timestamp::from_millisecond(millis.try_into().ok()?).ok();
    VerificationView {
        backup_id,
        state: state.as_str().into(),
        run_id,
        percent: percent(bytes, state == VerificationState::Passed),
        bytes,
        checks: checks.into_iter().map(Into::into).collect(),
        verified_at: ended.and_then(moment).and_then(|moment| presentation.time(moment)),
        failure_reason,
        next_step,
    }
}
