use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use backup_actuator::{Health, HealthDetails, PolicyFacts};

use super::Api;
use super::openapi::{NoErrors, NotReady};
use crate::backups::Deletion;
use crate::policy::{Admitted, Source};

type Response = (StatusCode, Json<Health>);

/// Whether the process works; it does not depend on the search engine.
#[utoipa::path(
    get,
    path = "/actuator/health/liveness",
    tag = "health",
    operation_id = "getLiveness",
    responses((status = 200, description = "UP", body = Health), NoErrors)
)]
pub(super) async fn liveness() -> Response {
    response(Health::liveness())
}

/// Whether a backup could be made now.
#[utoipa::path(
    get,
    path = "/actuator/health/readiness",
    tag = "health",
    operation_id = "getReadiness",
    responses(
        (status = 200, description = "UP", body = Health),
        NotReady,
        NoErrors
    )
)]
pub(super) async fn readiness(State(api): State<Arc<Api>>) -> Response {
    response(Health::readiness(&*api.readiness.probe().await))
}

/// The health of the server and of what it needs.
#[utoipa::path(
    get,
    path = "/actuator/health",
    tag = "health",
    operation_id = "getHealth",
    responses(
        (status = 200, description = "UP", body = Health),
        (status = 503, description = "DOWN", body = Health),
        NoErrors
    )
)]
pub(super) async fn health(State(api): State<Arc<Api>>) -> Response {
    let health = Health::readiness(&*api.readiness.probe().await)
        .with("policy", policy(&api))
        .with("runs", runs(&api))
        .with("deletions", deletions(&api))
        .with("clock", clock(&api))
        .of_groups(&["liveness", "readiness"]);
    response(health)
}

/// Some policy always serves: one that is not the wanted one keeps nobody from making backups.
fn policy(api: &Api) -> HealthDetails {
    let serving = api.updates.policies().serving();
    let Admitted { info, source, .. } = &serving.admitted;
    let warning = match source {
        Source::Cache(_) => Some(format!(
            "the policy at policy.path is refused, and the last known good one serves: {}",
            refusal(api).unwrap_or_else(|| "it cannot be read".to_owned())
        )),
        Source::Return { reason, .. } => Some(format!("another policy was withdrawn or rolled back: {reason}")),
        Source::Embedded | Source::File(_) | Source::Upload => refusal(api)
            .map(|refusal| format!("the last candidate was refused, and the serving policy stays: {refusal}")),
    };
    let version = info.version.as_ref().map(ToString::to_string);
    HealthDetails::Policy(PolicyFacts { source: source.to_string(), version, digest: info.digest.to_string(), warning })
}

fn refusal(api: &Api) -> Option<String> {
    let verdict = api.updates.last_verdict()?;
    verdict.refusal().map(|(_, refusal)| refusal.to_owned())
}

fn runs(api: &Api) -> HealthDetails {
    HealthDetails::Runs { active: api.service.runs.driven(), dropped: api.service.runs.dropped() }
}

/// The resume window is measured by the engine's clock, so that a difference does no harm but to logs and lists.
fn clock(api: &Api) -> HealthDetails {
    match api.service.clock.last() {
        None => HealthDetails::Clock { difference_seconds: None, warning: None },
        Some(Err(error)) => HealthDetails::Clock { difference_seconds: None, warning: Some(error) },
        Some(Ok(difference)) => HealthDetails::Clock {
            difference_seconds: Some(difference.seconds_ahead()),
            warning: difference.is_large().then(|| difference.to_string()),
        },
    }
}

/// A failed deletion does not keep anybody from making backups.
fn deletions(api: &Api) -> HealthDetails {
    let (mut pending, mut failed) = (Vec::new(), BTreeMap::new());
    for (id, deletion) in api.service.deletions.all() {
        match deletion {
            Deletion::Pending(_) => pending.push(id),
            Deletion::Failed(failure) => drop(failed.insert(id, failure.reason)),
        }
    }
    HealthDetails::Deletions { pending, failed }
}

fn response(health: Health) -> Response {
    (health.status_code(), Json(health))
}
