//! What every request passes before its handler, and every response after it: from the outermost layer inwards.

mod access;
mod log;
pub(super) mod metrics;
mod request_id;
mod stopping;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio_util::sync::CancellationToken;

use super::Callers;

pub(super) use log::Subject;

/// The code of the error that a response tells, for the log.
#[derive(Clone)]
pub(super) struct ErrorCode(pub(super) String);

/// Adds all layers. The last one added is the outermost.
pub(super) fn with_layers<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    callers: &Arc<Callers>,
    stopping: &CancellationToken,
) -> Router<S> {
    routes
        .layer(from_fn_with_state(stopping.clone(), stopping::stop))
        .layer(from_fn(access::authorize))
        .layer(from_fn(log::record))
        .layer(from_fn_with_state(Arc::clone(callers), access::identify))
        .layer(from_fn(request_id::assign))
}
