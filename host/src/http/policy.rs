//! `/actuator/policy`: what serves, and how to replace it.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use serde_json::{Value, json};

use super::{Api, ApiError};
use crate::policies::admission::{Candidate, Verdict};
use crate::policies::{Digest, Generation, Source};

/// Where the signature of an upload stands, as in a `.sig` file.
const SIGNATURE: &str = "policy-signature";

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
    let withdrawn = policies.withdrawals().into_iter();
    let withdrawn = withdrawn.map(|known| json!({"digest": known.digest.to_string(), "reason": known.reason}));
    Json(json!({
        "serving": generation(&policies.serving()),
        "previous": policies.previous().map(|previous| generation(&previous)),
        "lastCandidate": api.updates.last().map(|verdict| candidate(&verdict)),
        "withdrawn": withdrawn.collect::<Vec<_>>(),
    }))
}

pub(super) async fn replace(
    State(api): State<Arc<Api>>,
    _: Authorized,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let largest = api.updates.largest();
    let component = to_bytes(body, largest).await.map_err(|_| ApiError::PolicyTooLarge { allowed: largest })?;
    let signature = headers.get(SIGNATURE).map(|value| value.to_str().unwrap_or_default().to_owned());
    let forced = uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "force=true"));
    let candidate = Candidate { component: Arc::from(&*component), signature, source: Source::Upload, forced };
    Ok(Json(generation(&*api.updates.offer(candidate).await?)))
}

pub(super) async fn roll_back(State(api): State<Arc<Api>>, _: Authorized) -> Result<Json<Value>, ApiError> {
    Ok(Json(generation(&*api.updates.roll_back().await?)))
}

fn generation(generation: &Generation) -> Value {
    let admitted = &generation.admitted;
    json!({
        "generation": generation.number,
        "digest": admitted.anatomy.digest.to_string(),
        "name": admitted.anatomy.name,
        "version": admitted.anatomy.version.as_ref().map(ToString::to_string),
        "witVersion": admitted.anatomy.wit_version().map(|version| version.to_string()),
        "bytes": admitted.anatomy.bytes,
        "source": admitted.source.to_string(),
        "signer": admitted.signer,
        "since": generation.since.to_string(),
        "calls": generation.calls(),
        "failures": generation.failures(),
    })
}

fn candidate(verdict: &Verdict) -> Value {
    let steps = verdict.steps.iter().map(|report| {
        json!({
            "step": report.step.to_string(),
            "passed": report.refusal.is_none(),
            "refusal": report.refusal,
            "milliseconds": u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
        })
    });
    json!({
        "at": verdict.at.to_string(),
        "source": verdict.source.to_string(),
        "digest": verdict.digest.to_string(),
        "admitted": verdict.refusal().is_none(),
        "steps": steps.collect::<Vec<_>>(),
    })
}
