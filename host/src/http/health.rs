use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use backup_actuator::Health;
use serde_json::{Map, Value, json};

use super::Api;
use crate::backups::Deletion;

type Answer = (StatusCode, Json<Value>);

/// Whether this process works, whatever becomes of the engine: restarting it would not help that.
pub(super) async fn liveness() -> Json<Value> {
    Json(Health::liveness())
}

/// Whether a backup could be made now.
pub(super) async fn readiness(State(api): State<Arc<Api>>) -> Answer {
    answer(Health::readiness(api.readiness.probe().await))
}

/// Everything that there is to tell.
pub(super) async fn health(State(api): State<Arc<Api>>) -> Answer {
    let health = Health::readiness(api.readiness.probe().await)
        .with("runs", json!({"status": "UP", "details": {"active": api.service.runs.driven()}}))
        .with("deletions", deletions(&api))
        .of_groups(&["liveness", "readiness"]);
    answer(health)
}

/// A deletion that failed is for an operator to see, but does not keep anybody from making backups.
fn deletions(api: &Api) -> Value {
    let mut pending = Vec::new();
    let mut failed = Map::new();
    for (id, deletion) in api.service.deletions.all() {
        match deletion {
            Deletion::Pending(_) => pending.push(id),
            Deletion::Failed(failure) => {
                failed.insert(id, Value::String(failure.reason));
            }
        }
    }
    json!({"status": "UP", "details": {"pending": pending, "failed": failed}})
}

fn answer(health: Health) -> Answer {
    let (status, body) = health.answer();
    (status, Json(body))
}
