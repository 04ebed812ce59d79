use std::sync::{Arc, OnceLock};
use std::time::Duration;

use backup_elasticsearch::{OperatorRequest, OwnRequest};
use tokio_util::task::AbortOnDropHandle;

use crate::metrics::EngineMetrics;

use super::{Denial, Destination, Granted, Grants, Request, Response, Scope, TransportError};

/// The engine as policies may use it: what is granted, and where granted requests go.
#[derive(Clone)]
pub struct Capability {
    pub destination: Destination,
    pub grants: Arc<Grants>,
    pub oversteps: Oversteps,
    /// Counts requests that are denied.
    pub metrics: Option<EngineMetrics>,
}

/// A request that the engine was still working on when the call ended. When this is dropped, nobody waits for its
/// answer any more; the engine still works on it.
pub type Outstanding = AbortOnDropHandle<Result<Response, TransportError>>;

impl Capability {
    pub fn new(destination: Destination, grants: Grants) -> Self {
        Self { destination, grants: Arc::new(grants), oversteps: Oversteps::default(), metrics: None }
    }

    /// The same, which counts what it denies if it is given metrics.
    #[must_use]
    pub fn counted_by(self, metrics: Option<EngineMetrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Sends one read, without retries, and waits for the answer for at most `timeout`.
    pub async fn read_once(&self, request: Request, timeout: Duration) -> Result<Response, TransportError> {
        let granted = self.check(request, Scope::Read)?;
        self.destination.send_once(&granted, timeout).await
    }

    /// The same for the health.
    pub(crate) async fn check_health(&self, request: Request, timeout: Duration) -> Result<Response, TransportError> {
        let granted = self.grants.health_check(request)?;
        self.destination.send_once(&granted, timeout).await
    }

    /// Sends a request that no policy may send, without retries.
    pub(crate) async fn own(&self, request: OwnRequest, timeout: Duration) -> Result<Response, TransportError> {
        let granted = self.grants.own(request)?;
        self.destination.send_once(&granted, timeout).await
    }

    /// Sends a request of an operator's command, without retries.
    pub(crate) async fn operate(
        &self,
        request: OperatorRequest,
        timeout: Duration,
    ) -> Result<Response, TransportError> {
        let granted = self.grants.operator(request)?;
        self.destination.send_once(&granted, timeout).await
    }

    pub(crate) fn check(&self, request: Request, scope: Scope) -> Result<Granted, TransportError> {
        let text = request.to_string();
        self.grants.check(request, scope).map_err(|denial| {
            tracing::warn!(request = text, %denial, "denied a policy's request");
            self.oversteps.record(&denial);
            self.metrics.iter().for_each(EngineMetrics::request_denied);
            denial.into()
        })
    }
}

/// Keeps the first request outside the scope of its call. Such a request is denied and logged in any case; the
/// self-test also fails because of it.
#[derive(Clone, Debug, Default)]
pub struct Oversteps(Arc<OnceLock<Denial>>);

impl Oversteps {
    fn record(&self, denial: &Denial) {
        if matches!(denial, Denial::Scope { .. }) {
            self.0.get_or_init(|| denial.clone());
        }
    }

    pub fn first(&self) -> Option<&Denial> {
        self.0.get()
    }
}
