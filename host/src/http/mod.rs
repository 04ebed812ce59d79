//! The actuator API: routes, JSON, and the one table of errors.

mod actuator;
mod backups;
mod body;
mod error;
mod health;
mod policy;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::backups::BackupService;
use crate::elasticsearch::Readiness;
use crate::metrics::Metrics;
use crate::policy::Updates;
use crate::settings::Secret;

pub use backup_actuator::Presentation;
pub use error::ApiError;

/// What the handlers work with.
pub struct Api {
    /// The backups.
    pub service: Arc<BackupService>,
    /// Whether the engine and the repository answer.
    pub readiness: Readiness,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How backups are shown.
    pub presentation: Presentation,
    /// Which policy serves, and the way for another one.
    pub updates: Arc<Updates>,
    /// What a caller who replaces the policy must know. `None`: nobody may.
    pub policy_token: Option<Secret>,
}

/// All routes. Tests can call it without a socket.
pub fn router(api: Arc<Api>) -> Router {
    let routes = Router::new()
        .route("/actuator", get(actuator::links))
        .route("/actuator/backups", get(backups::list).post(backups::create))
        .route("/actuator/backups/{backupId}", get(backups::get).delete(backups::delete))
        .route("/actuator/health", get(health::health))
        .route("/actuator/health/liveness", get(health::liveness))
        .route("/actuator/health/readiness", get(health::readiness))
        .route("/actuator/info", get(actuator::info))
        .route("/actuator/policy", get(policy::show).put(policy::replace))
        .route("/actuator/policy/rollback", post(policy::roll_back))
        .route("/actuator/policy/shadow", delete(policy::end_shadow))
        .route("/actuator/prometheus", get(actuator::prometheus));
    answer_whatever_happens(routes).with_state(api)
}

/// What is not there, and a handler that panics, are answered as all other errors are.
fn answer_whatever_happens<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(error::unknown_path)
        .layer(CatchPanicLayer::custom(error::panicked))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    async fn broken() -> &'static str {
        panic!("the defect")
    }

    #[tokio::test]
    async fn a_defect_is_told_and_the_next_request_is_served() {
        let routes = answer_whatever_happens(Router::new().route("/broken", get(broken)).route("/", get(|| async {})));
        let request = |path| routes.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
        let response = request("/broken").await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body: Value = serde_json::from_slice(&to_bytes(response.into_body(), 1 << 10).await.unwrap()).unwrap();
        assert_eq!(body["errorCode"], json!("internalError"));
        assert!(body["errorMessage"].as_str().unwrap().contains("the host failed: the defect"), "{body}");
        assert_eq!(request("/").await.unwrap().status(), StatusCode::OK);
    }
}
