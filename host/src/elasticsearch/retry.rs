use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};

use super::{Client, Granted, Method, Response, TransportError};

/// Sends a request; a read is sent again for a few seconds while its failure may pass.
///
/// A write is never sent twice here: only the policy knows how to tell whether the first one arrived.
///
/// # Errors
/// The last attempt's. A status that stays is not an error.
pub(crate) async fn send(client: &Client, request: &Granted, budget: Duration) -> Result<Response, TransportError> {
    if request.request().method != Method::Get {
        return client.send(request, budget).await;
    }
    let deadline = Instant::now() + budget;
    let left = || deadline.saturating_duration_since(Instant::now());
    let attempt = || async { Attempt::of(client.send(request, left()).await) };
    let answered = attempt
        .retry(delays())
        .when(Attempt::may_pass)
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

/// An outcome that is not the end of it.
#[derive(Debug)]
struct Attempt(Result<Response, TransportError>);

impl Attempt {
    /// `Ok` with everything that is settled, as far as a retry can tell.
    fn of(outcome: Result<Response, TransportError>) -> Result<Result<Response, TransportError>, Self> {
        match outcome {
            Ok(response) if !is_busy(&response) => Ok(Ok(response)),
            outcome => Err(Self(outcome)),
        }
    }

    fn may_pass(&self) -> bool {
        match &self.0 {
            Ok(response) => is_busy(response),
            Err(error) => matches!(error, TransportError::Unreachable(_) | TransportError::Interrupted(_)),
        }
    }

    fn retry_after(&self) -> Duration {
        self.0.as_ref().ok().and_then(|response| response.retry_after).unwrap_or_default()
    }
}

fn is_busy(response: &Response) -> bool {
    matches!(response.status, 429 | 502..=504)
}
