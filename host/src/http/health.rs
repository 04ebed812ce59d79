use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::Api;
use crate::deletions::Deletion;

type Health = (StatusCode, Json<Value>);

/// Whether this process works, whatever becomes of the engine: restarting it would not help that.
pub(super) async fn liveness() -> Health {
    (StatusCode::OK, Json(json!({"status": "UP"})))
}

/// Whether a backup could be made now.
pub(super) async fn readiness(State(api): State<Arc<Api>>) -> Health {
    answer(components(&api).await, Value::Null)
}

/// Everything that there is to tell.
pub(super) async fn health(State(api): State<Arc<Api>>) -> Health {
    let mut components = components(&api).await;
    components.insert("runs".to_owned(), json!({"status": "UP", "details": {"active": api.service.runs.driven()}}));
    components.insert("deletions".to_owned(), deletions(&api));
    answer(components, json!(["liveness", "readiness"]))
}

async fn components(api: &Api) -> Map<String, Value> {
    let probe = api.readiness.probe().await;
    let component = |outcome: Result<(), String>| match outcome {
        Ok(()) => json!({"status": "UP"}),
        Err(error) => json!({"status": "DOWN", "details": {"error": error}}),
    };
    [("engine", probe.engine), ("repository", probe.repository)]
        .into_iter()
        .map(|(name, outcome)| (name.to_owned(), component(outcome)))
        .collect()
}

/// A deletion that failed is for an operator to see, but does not keep anybody from making backups.
fn deletions(api: &Api) -> Value {
    let mut pending = Vec::new();
    let mut failed = Map::new();
    for (id, deletion) in api.service.deletions.all() {
        match deletion {
            Deletion::Pending => pending.push(id),
            Deletion::Failed(reason) => {
                failed.insert(id, Value::String(reason));
            }
        }
    }
    json!({"status": "UP", "details": {"pending": pending, "failed": failed}})
}

fn answer(components: Map<String, Value>, groups: Value) -> Health {
    let is_up = components.values().all(|component| component.get("status") == Some(&json!("UP")));
    let (code, status) = if is_up { (StatusCode::OK, "UP") } else { (StatusCode::SERVICE_UNAVAILABLE, "DOWN") };
    let mut body = json!({"status": status, "components": components});
    if let (Value::Object(body), false) = (&mut body, groups.is_null()) {
        body.insert("groups".to_owned(), groups);
    }
    (code, Json(body))
}
