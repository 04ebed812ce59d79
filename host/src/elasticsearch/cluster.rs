//! The configured cluster, and what is remembered of it for a moment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::{Granted, LargeResponsePermit, Request, Response, Transport, TransportError, retry};

/// Sends to one cluster; the versions of its nodes are asked for once in `MAX_AGE`, by however many calls.
pub struct Cluster {
    pub(super) transport: Arc<dyn Transport>,
    versions_request: Request,
    versions: Mutex<Option<(Instant, Response)>>,
}

/// A node that joins or leaves is seen within this time: a backup may be told as compatible for so long.
const MAX_AGE: Duration = Duration::from_secs(10);

impl Cluster {
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, versions_request: Request::node_versions(), versions: Mutex::default() }
    }

    /// Sends a request, a read again for a while if its failure may pass.
    pub(super) async fn send(
        &self,
        request: &Granted,
        budget: Duration,
        permit: &LargeResponsePermit,
    ) -> Result<Response, TransportError> {
        if *request.request() == self.versions_request {
            self.versions(request, budget, permit).await
        } else {
            retry::send(self.transport.as_ref(), request, budget, permit).await
        }
    }

    /// Callers who come meanwhile wait for the same answer. One that is no success is kept for nobody.
    async fn versions(
        &self,
        request: &Granted,
        budget: Duration,
        permit: &LargeResponsePermit,
    ) -> Result<Response, TransportError> {
        let started = Instant::now();
        let Ok(mut last) = timeout(budget, self.versions.lock()).await else {
            return Err(TransportError::Interrupted(format!("no answer about the nodes within {budget:?}")));
        };
        if let Some((_, response)) = last.as_ref().filter(|(at, _)| at.elapsed() < MAX_AGE) {
            return Ok(response.clone());
        }
        let left = budget.saturating_sub(started.elapsed());
        let response = retry::send(self.transport.as_ref(), request, left, permit).await?;
        *last = (response.status == 200).then(|| (Instant::now(), response.clone()));
        Ok(response)
    }
}

#[cfg(test)]
mod tests;
