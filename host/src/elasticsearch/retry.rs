use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::time::Instant;

use super::{Granted, Method, Response, Transport, TransportError};

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
    let attempt = || async { Attempt::of(send(left()).await) };
    let method = request.request().method;
    let answered = attempt
        .retry(delays())
        .when(|attempt| attempt.may_pass(method))
        .adjust(|attempt, delay| delay.map(|delay| delay.max(attempt.retry_after())).filter(|delay| *delay < left()))
        .notify(|attempt, delay| {
            tracing::debug!(request = %request.request(), ?attempt, ?delay, "asking the engine again");
        })
        .await;
    answered.unwrap_or_else(|attempt| attempt.0)
}

/// Five attempts within about three seconds: enough for a node that restarts its HTTP port or an
/// election, and short enough for somebody who waits.
fn delays() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(2))
        .with_max_times(4)
        .with_jitter()
}

/// An outcome that is perhaps not the end of it.
#[derive(Debug)]
struct Attempt(Result<Response, TransportError>);

impl Attempt {
    /// `Ok` with an answer that no retry would change.
    fn of(outcome: Result<Response, TransportError>) -> Result<Result<Response, TransportError>, Self> {
        match outcome {
            Ok(response) if !matches!(response.status, 429 | 502..=504) => Ok(Ok(response)),
            outcome => Err(Self(outcome)),
        }
    }

    fn may_pass(&self, method: Method) -> bool {
        backup_elasticsearch::may_pass(method, &self.0)
    }

    fn retry_after(&self) -> Duration {
        self.0.as_ref().ok().and_then(|response| response.retry_after).unwrap_or_default()
    }
}
