//! Measures the requests to the engine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Granted, LargeResponsePermit, Response, ResponseFuture, Transport, TransportError};
use crate::metrics::{EngineMetrics, RequestOutcome};

/// A transport whose requests are counted, each attempt by itself.
pub struct Measured<T> {
    transport: Arc<T>,
    /// No request that is not submitted gets more time.
    request_timeout: Duration,
    metrics: EngineMetrics,
}

/// A request under way. Dropped without an answer, it counts as abandoned.
struct Measurement<'a> {
    metrics: &'a EngineMetrics,
    kind: &'static str,
    started: Instant,
    outcome: RequestOutcome,
}

impl Drop for Measurement<'_> {
    fn drop(&mut self) {
        self.metrics.request_ended(self.kind, self.outcome, self.started.elapsed());
    }
}

impl<T> Measured<T> {
    pub fn new(transport: Arc<T>, request_timeout: Duration, metrics: EngineMetrics) -> Self {
        Self { transport, request_timeout, metrics }
    }

    async fn measure(
        &self,
        request: &Granted,
        timeout: Duration,
        answer: ResponseFuture<'_>,
    ) -> Result<Response, TransportError> {
        let mut measurement = Measurement {
            metrics: &self.metrics,
            kind: request.kind(),
            started: Instant::now(),
            outcome: RequestOutcome::Abandoned,
        };
        let answer = answer.await;
        measurement.outcome = outcome(&answer, measurement.started.elapsed() >= timeout);
        answer
    }
}

fn outcome(answer: &Result<Response, TransportError>, time_is_up: bool) -> RequestOutcome {
    match answer {
        Ok(Response { status: 200..=299, .. }) => RequestOutcome::Ok,
        Ok(Response { status: 500.., .. }) => RequestOutcome::ServerError,
        Ok(_) => RequestOutcome::ClientError,
        Err(TransportError::Denied(_)) => RequestOutcome::Denied,
        Err(TransportError::Unreachable(_)) => RequestOutcome::Unreachable,
        Err(TransportError::Interrupted(_)) if time_is_up => RequestOutcome::Timeout,
        Err(TransportError::Interrupted(_) | TransportError::Unreadable(_)) => RequestOutcome::Interrupted,
    }
}

impl<T: Transport> Transport for Measured<T> {
    fn send<'a>(&'a self, request: &'a Granted, timeout: Duration) -> ResponseFuture<'a> {
        let limit = timeout.min(self.request_timeout);
        Box::pin(self.measure(request, limit, self.transport.send(request, timeout)))
    }

    fn read<'a>(
        &'a self,
        request: &'a Granted,
        timeout: Duration,
        permit: &'a LargeResponsePermit,
    ) -> ResponseFuture<'a> {
        let limit = timeout.min(self.request_timeout);
        Box::pin(self.measure(request, limit, self.transport.read(request, timeout, permit)))
    }

    fn submit<'a>(&'a self, request: &'a Granted, timeout: Duration) -> ResponseFuture<'a> {
        Box::pin(self.measure(request, timeout, self.transport.submit(request, timeout)))
    }
}

#[cfg(test)]
mod tests;
