use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use crate::http::error::ErrorClass;
use crate::metrics::{ACCEPTED, Metrics};

/// For paths that are none: callers must not be able to make labels.
const UNKNOWN: &str = "UNKNOWN";

/// Measures every request, and counts what becomes of those for a new backup.
pub(in crate::http) async fn measure(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = label(request.method());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let uri = path.as_ref().map_or(UNKNOWN, MatchedPath::as_str);
    let response = next.run(request).await;
    metrics.http.responded(method, uri, response.status().as_str(), started.elapsed());
    if (method, uri) == ("POST", "/actuator/backups") {
        metrics.http.create_ended(response.extensions().get::<ErrorClass>().map_or(ACCEPTED, |class| class.0));
    }
    response
}

fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests;
