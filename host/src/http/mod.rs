//! The actuator API: connections, routes, JSON, and the server's own errors.

mod access;
mod actuator;
mod backups;
mod body;
mod connections;
mod error;
mod health;
mod layers;
mod loggers;
mod openapi;
mod policy;
mod restores;
mod retention;
mod tls;
mod verifications;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::middleware;
use backup_actuator::normalized;
use tokio_util::sync::CancellationToken;
use tower::Layer;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::backups::{BackupService, Retention, Scheduler};
use crate::elasticsearch::Readiness;
use crate::metrics::Metrics;
use crate::policy::Updates;
use crate::telemetry::Loggers;

pub use access::{AccessError, Callers};
pub use backup_actuator::Presentation;
pub use connections::{ConnectionLimits, serve};
pub use error::ApiError;
pub(crate) use openapi::document;
pub use tls::{PortTls, TlsError};

/// What the handlers work with.
pub struct Api {
    pub service: Arc<BackupService>,
    pub retention: Arc<Retention>,
    pub scheduler: Arc<Scheduler>,
    pub readiness: Readiness,
    pub metrics: Arc<Metrics>,
    pub presentation: Presentation,
    pub updates: Arc<Updates>,
    pub callers: Arc<Callers>,
    /// Is cancelled when the server is about to stop.
    pub stopping: CancellationToken,
    pub loggers: Arc<Loggers>,
}

/// All routes. Tests can call it without a socket.
pub fn router(api: Arc<Api>) -> Router {
    let (routes, _) = routes().split_for_parts();
    let measured = middleware::from_fn_with_state(Arc::clone(&api.metrics), layers::metrics::measure);
    let routes = layers::with_layers(with_fallbacks(routes), &api.callers, &api.stopping).layer(measured);
    with_normal_paths(routes.with_state(api))
}

/// The handlers, each with its method, path and description.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(actuator::links))
        .routes(routes!(backups::list, backups::create))
        .routes(routes!(backups::get, backups::delete))
        .routes(routes!(backups::progress))
        .routes(routes!(restores::get, restores::restore))
        .routes(routes!(verifications::get, verifications::verify))
        .routes(routes!(health::health))
        .routes(routes!(health::liveness))
        .routes(routes!(health::readiness))
        .routes(routes!(actuator::info))
        .routes(routes!(loggers::list))
        .routes(routes!(loggers::show, loggers::set))
        .routes(routes!(openapi::show))
        .routes(routes!(policy::show, policy::replace))
        .routes(routes!(policy::roll_back))
        .routes(routes!(policy::begin_shadow, policy::end_shadow))
        .routes(routes!(actuator::prometheus))
        .routes(routes!(retention::expire))
        .routes(routes!(retention::schedule))
}

/// Finds the route without empty segments of the path: Camunda's own pages ask for `//actuator/backups`.
fn with_normal_paths(routes: Router) -> Router {
    // A layer of the router itself is called only after it has found the route.
    Router::new().fallback_service(MapRequestLayer::new(normalize_path).layer(routes))
}

fn normalize_path(mut request: Request) -> Request {
    if let Cow::Owned(path) = normalized(request.uri().path()) {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = format!("{path}{query}").parse().ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// Answers unknown paths, wrong methods and panics with the error body of all other errors.
fn with_fallbacks<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(error::unknown_path)
        .layer(CatchPanicLayer::custom(error::panicked))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::extract::{Path, RawQuery};
    use axum::http::{self, StatusCode};
    use axum::routing::get;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn slashes_too_many_change_neither_route_nor_parameter_nor_error() {
        async fn echo(Path(id): Path<String>, RawQuery(query): RawQuery) -> String {
            format!("{id}?{}", query.unwrap_or_default())
        }
        let routes = Router::new().route("/backups", get(|| async { "all" })).route("/backups/{id}", get(echo));
        let routes = with_normal_paths(with_fallbacks(routes));
        for (method, path, status, expected) in [
            ("GET", "//backups", 200, "all"),
            ("GET", "/backups/?a=//", 200, "all"),
            ("GET", "http://localhost//backups//", 200, "all"),
            ("GET", "//backups///7/?a=//&b", 200, "7?a=//&b"),
            ("GET", "/backups/%2F%31", 200, "/1?"),
            ("DELETE", "/backups//", 405, "methodNotAllowed"),
            ("GET", "//", 404, "unknownPath"),
            ("GET", "/backups/7/8/", 404, "unknownPath"),
        ] {
            let request = http::Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let response = routes.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{method} {path}");
            assert_eq!(response.headers().contains_key("allow"), status == 405);
            let body = to_bytes(response.into_body(), 1 << 10).await.unwrap();
            assert!(String::from_utf8_lossy(&body).contains(expected), "{method} {path}: {body:?}");
        }
    }

    async fn broken() -> &'static str {
        panic!("the defect")
    }

    #[tokio::test]
    async fn a_defect_is_told_and_the_next_request_is_served() {
        let routes = with_fallbacks(Router::new().route("/broken", get(broken)).route("/", get(|| async {})));
        let request = |path| routes.clone().oneshot(http::Request::get(path).body(Body::empty()).unwrap());
        let response = request("/broken").await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body: Value = serde_json::from_slice(&to_bytes(response.into_body(), 1 << 10).await.unwrap()).unwrap();
        assert_eq!(body["errorCode"], json!("internalError"));
        assert!(body["errorMessage"].as_str().unwrap().contains("the host failed: the defect"), "{body}");
        assert_eq!(request("/").await.unwrap().status(), StatusCode::OK);
    }
}
