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

use crate::metrics::Metrics;
use crate::policies::Updates;
use crate::readiness::Readiness;
use crate::service::BackupService;
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
    Router::new()
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
        .route("/actuator/prometheus", get(actuator::prometheus))
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(error::unknown_path)
        .layer(CatchPanicLayer::custom(error::panicked))
        .with_state(api)
}
