//! Sends callers elsewhere once the server is about to stop: readiness is down before the listener closes.

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;

use crate::http::ApiError;
use crate::http::access::READINESS;

pub(super) async fn stop(State(stopping): State<CancellationToken>, request: Request, next: Next) -> Response {
    if !stopping.is_cancelled() {
        return next.run(request).await;
    }
    let is_readiness = request.extensions().get::<MatchedPath>().is_some_and(|path| path.as_str() == READINESS);
    let mut response = if is_readiness { ApiError::Stopping.into_response() } else { next.run(request).await };
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
