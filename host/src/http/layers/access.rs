//! Who sends a request, and whether that caller may.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::access::{self, Identity};
use crate::http::connections::Peer;
use crate::http::{ApiError, Callers};

/// Finds out who sends the request, for the layers further in.
pub(super) async fn identify(State(callers): State<Arc<Callers>>, mut request: Request, next: Next) -> Response {
    let identity = callers.identify(request.headers(), request.extensions().get::<Peer>());
    request.extensions_mut().insert(identity);
    next.run(request).await
}

/// Refuses what the caller may not do.
pub(super) async fn authorize(request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let route = extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(identity) = extensions.get::<Identity>() else {
        return ApiError::Internal("a request came past the look for its caller".to_owned()).into_response();
    };
    match access::authorize(identity, request.method(), route) {
        Ok(()) => next.run(request).await,
        Err(error) => ApiError::from(error).into_response(),
    }
}
