use std::sync::Arc;
use std::time::Duration;

use backup_elasticsearch::Retry;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::correlation::inherit;

use super::{Granted, LargeResponsePermit, Response, Submitted, Transport, TransportError};

/// Sends a request, and again while its failure may pass. The last result is final: a status that stays is not an error.
pub(crate) async fn send(
    transport: &dyn Transport,
    request: &Granted,
    timeout: Duration,
    permit: &LargeResponsePermit,
) -> Result<Response, TransportError> {
    let deadline = Instant::now() + timeout;
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut retry = Retry::new(request, fastrand::f64);
    loop {
        let result = transport.read(request, left(), permit).await;
        let Some(delay) = retry.delay_after(&result, left()) else { return result };
        tracing::debug!(request = %request.request(), cause = cause(&result), delaySeconds = delay.as_secs_f64(), "sending the request again");
        tokio::time::sleep(delay).await;
    }
}

/// Sends a request that may take up to `timeout`, and again only within `early`: the caller is told a refusal, and only a
/// request that the engine has not answered by then goes on in the background.
pub(crate) async fn submit(
    transport: Arc<dyn Transport>,
    request: Granted,
    early: Duration,
    timeout: Duration,
) -> Submitted {
    let deadline = Instant::now() + early;
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut retry = Retry::new(&request, fastrand::f64);
    loop {
        let (transport, sent) = (Arc::clone(&transport), request.clone());
        let attempt = async move { transport.submit(&sent, timeout).await };
        let mut attempt = AbortOnDropHandle::new(tokio::spawn(inherit(attempt)));
        let result = match tokio::time::timeout(left(), &mut attempt).await {
            Ok(Ok(result)) => result,
            Ok(Err(aborted)) => Err(TransportError::Interrupted(aborted.to_string())),
            Err(_elapsed) => return Submitted::Outstanding(attempt),
        };
        let Some(delay) = retry.delay_after(&result, left()) else { return Submitted::Answered(result) };
        tracing::debug!(request = %request.request(), cause = cause(&result), delaySeconds = delay.as_secs_f64(), "sending the request again");
        tokio::time::sleep(delay).await;
    }
}

/// Why a request is sent again, without the body of the answer.
fn cause(result: &Result<Response, TransportError>) -> String {
    match result {
        Ok(response) => format!("the answer has the status {}", response.status),
        Err(error) => error.to_string(),
    }
}
