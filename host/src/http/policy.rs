//! `/actuator/policy`: which policy serves, how to replace it, and how to try another one as a shadow.

mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use backup_actuator::RequestError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de};

use super::{Api, ApiError, body};
use crate::policy::Source;
use crate::policy::admission::Candidate;
use crate::settings::time_span;
use view::{GenerationView, PoliciesView, ShadowView};

/// The header with an upload's signature: the Base64 of its file, since a header has no line breaks.
const SIGNATURE: &str = "policy-signature";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadParameters {
    /// Also if it is older than the serving policy, or was withdrawn.
    #[serde(default)]
    force: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RollbackParameters {
    /// The generation that is to be replaced: so that a repeated request does not undo the first.
    generation: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShadowParameters {
    #[serde(default)]
    force: bool,
    #[serde(rename = "for", deserialize_with = "shadow_span")]
    span: Duration,
}

fn shadow_span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    const MAX_SPAN: SignedDuration = SignedDuration::from_hours(24);
    let text = String::deserialize(deserializer)?;
    time_span(&text, MAX_SPAN)
        .ok_or_else(|| de::Error::custom("for is a time such as 90s, 10m or 1h 30m, greater than 0s and up to 24h"))
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        const ALLOWED: &str = "force=true or false, for a shadow for=10m, for a rollback generation=2";
        RequestError::invalid_parameter(&rejection.body_text(), ALLOWED).into()
    }
}

pub(super) async fn show(State(api): State<Arc<Api>>) -> Json<PoliciesView> {
    Json(PoliciesView::new(api.updates.policies(), api.updates.last_verdict()))
}

pub(super) async fn replace(
    State(api): State<Arc<Api>>,
    parameters: Result<Query<UploadParameters>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<GenerationView>, ApiError> {
    let Query(UploadParameters { force }) = parameters?;
    let candidate = upload(&api, force, &headers, body).await?;
    Ok(Json((&*api.updates.submit(candidate).await?).into()))
}

pub(super) async fn begin_shadow(
    State(api): State<Arc<Api>>,
    parameters: Result<Query<ShadowParameters>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ShadowView>, ApiError> {
    let Query(ShadowParameters { force, span }) = parameters?;
    let candidate = upload(&api, force, &headers, body).await?;
    Ok(Json((&*api.updates.shadow(candidate, span).await?).into()))
}

pub(super) async fn roll_back(
    State(api): State<Arc<Api>>,
    parameters: Result<Query<RollbackParameters>, QueryRejection>,
) -> Result<Json<GenerationView>, ApiError> {
    let Query(RollbackParameters { generation }) = parameters?;
    Ok(Json((&*api.updates.roll_back(generation).await?).into()))
}

pub(super) async fn end_shadow(State(api): State<Arc<Api>>) -> Result<Json<ShadowView>, ApiError> {
    Ok(Json((&*api.updates.policies().shadows().stop()?).into()))
}

async fn upload(api: &Api, forced: bool, headers: &HeaderMap, body: Body) -> Result<Candidate, ApiError> {
    let max_bytes = api.updates.max_bytes();
    let component = body::read(body, max_bytes).await.ok_or(ApiError::PolicyTooLarge { allowed: max_bytes })?;
    let decode = |value| String::from_utf8_lossy(&BASE64_STANDARD.decode(value).unwrap_or_default()).into_owned();
    let signature = headers.get(SIGNATURE).map(decode);
    Ok(Candidate { component: Arc::from(&*component), signature, source: Source::Upload, forced })
}
