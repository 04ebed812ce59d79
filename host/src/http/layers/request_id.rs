//! The ID by which a request is found in logs: here, at the caller's and at the search engine's.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;

use crate::correlation::{Correlation, REQUEST_ID};

pub(super) async fn assign(request: Request, next: Next) -> Response {
    let correlation = Correlation::of_request(request.headers());
    let id = HeaderValue::try_from(correlation.id());
    let mut response = correlation.scope(next.run(request)).await;
    if let Ok(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
