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
use utoipa::{IntoParams, ToSchema};

use super::openapi::{NoErrors, ReplaceErrors, RollbackErrors, ShadowEndErrors, ShadowErrors};
use super::{Api, ApiError, body};
use crate::policy::Source;
use crate::policy::admission::Candidate;
use crate::settings::time_span;
use view::{GenerationView, PoliciesView, ShadowView};

/// The header with an upload's signature: the Base64 of its file, since a header has no line breaks.
const SIGNATURE: &str = "policy-signature";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadParameters {
    /// Also if it is older than the serving policy, or was withdrawn.
    #[serde(default)]
    force: bool,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RollbackParameters {
    /// The generation that is to be replaced: so that a repeated request does not undo the first.
    generation: Option<u64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ShadowParameters {
    /// Also if it is older than the serving policy, or was withdrawn.
    #[serde(default)]
    force: bool,
    /// How long it is tried: up to 24h.
    #[param(value_type = String, example = "10m", pattern = "^[1-9][0-9]{0,2}(s|m)$")]
    #[serde(rename = "for", deserialize_with = "shadow_span")]
    span: Duration,
}

/// A WebAssembly component with the rules of a backup.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
struct Component(#[allow(dead_code, reason = "stands for the bytes in the OpenAPI document")] Vec<u8>);

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

/// Shows the policy that serves, and how the last candidate fared.
#[utoipa::path(
    get,
    path = "/actuator/policy",
    tag = "policy",
    operation_id = "getPolicy",
    responses((status = 200, description = "The policies.", body = PoliciesView), NoErrors)
)]
pub(super) async fn show(State(api): State<Arc<Api>>) -> Json<PoliciesView> {
    Json(PoliciesView::new(api.updates.policies(), api.updates.last_verdict()))
}

/// Replaces the policy.
#[utoipa::path(
    put,
    path = "/actuator/policy",
    tag = "policy",
    operation_id = "replacePolicy",
    params(UploadParameters, ("policy-signature" = Option<String>, Header, description = "Its signature, as Base64.")),
    request_body(content = Component, content_type = "application/wasm"),
    responses((status = 200, description = "It serves.", body = GenerationView), ReplaceErrors)
)]
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

/// Tries a policy beside the serving one.
#[utoipa::path(
    put,
    path = "/actuator/policy/shadow",
    tag = "policy",
    operation_id = "beginShadow",
    params(ShadowParameters, ("policy-signature" = Option<String>, Header, description = "Its signature, as Base64.")),
    request_body(content = Component, content_type = "application/wasm"),
    responses((status = 200, description = "It is being tried.", body = ShadowView), ShadowErrors)
)]
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

/// Returns to the previous policy.
#[utoipa::path(
    post,
    path = "/actuator/policy/rollback",
    tag = "policy",
    operation_id = "rollBackPolicy",
    params(RollbackParameters),
    responses((status = 200, description = "The previous policy serves.", body = GenerationView), RollbackErrors)
)]
pub(super) async fn roll_back(
    State(api): State<Arc<Api>>,
    parameters: Result<Query<RollbackParameters>, QueryRejection>,
) -> Result<Json<GenerationView>, ApiError> {
    let Query(RollbackParameters { generation }) = parameters?;
    Ok(Json((&*api.updates.roll_back(generation).await?).into()))
}

/// Ends trying a policy.
#[utoipa::path(
    delete,
    path = "/actuator/policy/shadow",
    tag = "policy",
    operation_id = "endShadow",
    responses((status = 200, description = "It is not tried any more.", body = ShadowView), ShadowEndErrors)
)]
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
