use std::time::Duration;

use backup_elasticsearch::Retry;
use tokio::time::Instant;

use super::{Granted, Response, Transport, TransportError};

/// Sends a request, and for a few seconds again while its failure may pass.
///
/// # Errors
/// The last attempt's. A status that stays is not an error.
pub(crate) async fn send(
    transport: &dyn Transport,
    request: &Granted,
    budget: Duration,
) -> Result<Response, TransportError> {
    retry(request, budget, |left| transport.send(request, left)).await
}

/// The same for a request that can take minutes.
///
/// # Errors
/// As [`send`].
pub(crate) async fn submit(
    transport: &dyn Transport,
    request: &Granted,
    patience: Duration,
) -> Result<Response, TransportError> {
    retry(request, patience, |left| transport.submit(request, left)).await
}

async fn retry<F>(request: &Granted, budget: Duration, send: impl Fn(Duration) -> F) -> Result<Response, TransportError>
where
    F: Future<Output = Result<Response, TransportError>>,
{
    let deadline = Instant::now() + budget;
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut retry = Retry::new(request.request().method, fastrand::f64);
    loop {
        let result = send(left()).await;
        let Some(delay) = retry.delay_after(&result, left()) else { return result };
        tracing::debug!(request = %request.request(), ?result, ?delay, "sending the request again");
        tokio::time::sleep(delay).await;
    }
}
