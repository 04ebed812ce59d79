//! `/actuator/policy`: what serves, how to replace it, and how to try another one beside it.

mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Api, ApiError};
use crate::policy::admission::Candidate;
use crate::policy::{Digest, Source};
use crate::settings::time_span;

/// Where the signature of an upload stands, as in a `.sig` file.
const SIGNATURE: &str = "policy-signature";

/// The parameters of an upload. Others are refused: whoever misspells one means something by it.
#[derive(Default)]
pub(super) struct Parameters {
    /// It may be older than the one that serves, and one that failed before.
    forced: bool,
    /// How long to try it beside the serving one. `None`: it is to serve.
    shadow: Option<Duration>,
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            let refused = || ApiError::InvalidParameter(format!("{name}={value}").chars().take(100).collect());
            parameters.set(&name, &value).ok_or_else(refused)?;
        }
        Ok(parameters)
    }
}

impl Parameters {
    /// `None`: there is no such parameter, or it has no such value.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        const LONGEST: SignedDuration = SignedDuration::from_hours(24);
        match name {
            "force" => self.forced = value.parse().ok()?,
            "shadow" => self.shadow = Some(time_span(value, LONGEST)?),
            _ => return None,
        }
        Some(())
    }
}

/// The caller may replace the policy.
pub(super) struct Authorized;

impl FromRequestParts<Arc<Api>> for Authorized {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let expected = api.policy_token.as_ref().ok_or(ApiError::PolicyUpdatesOff)?;
        let given = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) = given.and_then(|value| value.split_once(' ')).ok_or(ApiError::Unauthorized)?;
        let is_right = is_same_secret(token.trim(), expected.expose());
        if scheme.eq_ignore_ascii_case("bearer") && is_right { Ok(Self) } else { Err(ApiError::Unauthorized) }
    }
}

/// Takes the same time wherever the difference is. Of digests, so that not even the length shows.
fn is_same_secret(given: &str, expected: &str) -> bool {
    let [given, expected] = [given, expected].map(|text| Digest::of(text.as_bytes()));
    aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), expected.as_bytes()).is_ok()
}

pub(super) async fn show(State(api): State<Arc<Api>>) -> Json<Value> {
    let policies = api.updates.policies();
    let withdrawn = policies
        .incumbents()
        .withdrawals
        .into_iter()
        .map(|known| json!({"digest": known.digest.to_string(), "reason": known.reason}));
    Json(json!({
        "serving": view::generation(&policies.serving()),
        "previous": policies.previous().map(|previous| view::generation(&previous)),
        "shadow": policies.shadows().report().map(|report| view::shadow(&report)),
        "lastCandidate": api.updates.last_verdict().map(|verdict| view::candidate(&verdict)),
        "withdrawn": withdrawn.collect::<Vec<_>>(),
    }))
}

pub(super) async fn replace(
    State(api): State<Arc<Api>>,
    _: Authorized,
    Parameters { forced, shadow }: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let max_bytes = api.updates.max_bytes();
    let component = to_bytes(body, max_bytes).await.map_err(|_| ApiError::PolicyTooLarge { allowed: max_bytes })?;
    let signature = headers.get(SIGNATURE).map(|value| value.to_str().unwrap_or_default().to_owned());
    let candidate = Candidate { component: Arc::from(&*component), signature, source: Source::Upload, forced };
    Ok(Json(match shadow {
        Some(span) => view::shadow(&*api.updates.shadow(candidate, span).await?),
        None => view::generation(&*api.updates.submit(candidate).await?),
    }))
}

pub(super) async fn roll_back(State(api): State<Arc<Api>>, _: Authorized) -> Result<Json<Value>, ApiError> {
    Ok(Json(view::generation(&*api.updates.roll_back().await?)))
}

pub(super) async fn end_shadow(State(api): State<Arc<Api>>, _: Authorized) -> Result<Json<Value>, ApiError> {
    Ok(Json(view::shadow(&*api.updates.policies().shadows().stop()?)))
}
