use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::component::HasSelf;
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::bindings::optimize::backup::elasticsearch as wit;
use super::overstep::Oversteps;
use super::sandbox::{CallLimits, Sandbox};
use super::wasi::World;
use crate::elasticsearch::{Destination, Granted, Grants, Method, Request, Response, Scope, Submitted, TransportError};

/// The engine as policies may use it: what is granted, and through which client.
#[derive(Clone)]
pub struct Capability {
    /// Where granted requests go.
    pub destination: Destination,
    /// Which requests are granted.
    pub grants: Arc<Grants>,
    /// What was asked for beyond the scope of a call.
    pub oversteps: Oversteps,
}

/// A request that the engine was still working on when the call ended. Dropped, it is not waited for any
/// more, which does not keep an engine from working on it.
pub type Outstanding = AbortOnDropHandle<Result<Response, TransportError>>;

/// What belongs to one call and ends with it.
pub(super) struct Call {
    sizes: StoreLimits,
    capability: Capability,
    /// What it may write.
    scope: Scope,
    /// When its time is up.
    pub(super) deadline: Instant,
    engine_calls_left: u32,
    cpu_ticks_left: u64,
    log: usize,
    /// WASI, once it is asked for: most policies never do.
    world: Option<Box<World>>,
    /// The request that `submit` did not wait for.
    pub(super) outstanding: Option<Outstanding>,
}

/// How long the early refusal of a long request is waited for.
const SUBMIT_PATIENCE: Duration = Duration::from_secs(2);
/// How long a long request is followed in the background.
const SUBMIT_LONGEST: Duration = Duration::from_secs(60 * 60);

impl Call {
    /// A store for one call, with all limits set.
    pub(super) fn store(sandbox: &Sandbox, capability: Capability, scope: Scope, deadline: Instant) -> Store<Self> {
        let CallLimits { memory, engine_calls, table_elements, log, .. } = sandbox.limits;
        let sizes = StoreLimitsBuilder::new().memory_size(memory).table_elements(table_elements);
        let call = Self {
            sizes: sizes.trap_on_grow_failure(true).build(),
            capability,
            scope,
            deadline,
            engine_calls_left: engine_calls,
            cpu_ticks_left: sandbox.cpu_ticks(),
            log,
            world: None,
            outstanding: None,
        };
        let mut store = Store::new(&sandbox.engine, call);
        store.limiter(|call| &mut call.sizes);
        store.set_hostcall_fuel(sandbox.limits.transfer);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().tick()));
        store
    }

    /// A tick passed while the guest was computing: others get their turn, until its time is used up.
    fn tick(&mut self) -> UpdateDeadline {
        match self.cpu_ticks_left.checked_sub(1) {
            Some(left) => {
                self.cpu_ticks_left = left;
                UpdateDeadline::Yield(1)
            }
            None => UpdateDeadline::Interrupt,
        }
    }

    /// Takes one request from the budget; how long it may take.
    ///
    /// A write leaves half of the time for finding out what became of it.
    fn admit(&mut self, method: Method) -> Result<Duration, TransportError> {
        self.engine_calls_left = self.engine_calls_left.checked_sub(1).ok_or_else(|| {
            TransportError::Denied(
                "this call has used up its requests to the engine (policy.maxEngineCalls)".to_owned(),
            )
        })?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TransportError::Unreachable("the call's time is up (backup.callTimeout)".to_owned()));
        }
        Ok(if method == Method::Get { left } else { left / 2 })
    }

    async fn send_granted(&mut self, request: Request) -> Result<Response, TransportError> {
        let budget = self.admit(request.method)?;
        let granted = self.capability.check(request, self.scope)?;
        self.capability.destination.send(&granted, budget).await
    }

    async fn submit_granted(&mut self, request: Request) -> Result<Option<Response>, TransportError> {
        let patience = self.admit(request.method)?.min(SUBMIT_PATIENCE);
        let granted = self.capability.check(request, self.scope)?;
        match self.capability.destination.submit(granted, patience, SUBMIT_LONGEST).await {
            Submitted::Answered(outcome) => outcome.map(Some),
            Submitted::Outstanding(request) => {
                self.outstanding = Some(request);
                Ok(None)
            }
        }
    }
}

impl Capability {
    /// The engine behind `destination`, as far as `grants` go.
    #[must_use]
    pub fn new(destination: Destination, grants: Grants) -> Self {
        Self { destination, grants: Arc::new(grants), oversteps: Oversteps::default() }
    }

    /// Reads something once, if that is granted, and waits for the answer for at most `budget`.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn ask(&self, request: Request, budget: Duration) -> Result<Response, TransportError> {
        let granted = self.check(request, Scope::Read)?;
        self.destination.ask(&granted, budget).await
    }

    fn check(&self, request: Request, scope: Scope) -> Result<Granted, TransportError> {
        let text = request.to_string();
        self.grants.check(request, scope).map_err(|denial| {
            tracing::warn!(request = text, %denial, "denied a policy's request");
            self.oversteps.note(&denial);
            denial.into()
        })
    }
}

/// What a policy can call.
pub(super) type Imports = HasSelf<Call>;

impl wit::Host for Call {
    async fn send(&mut self, request: wit::Request) -> Result<wit::Response, wit::TransportError> {
        Ok(self.send_granted(request.into()).await?.into())
    }

    async fn submit(&mut self, request: wit::Request) -> Result<Option<wit::Response>, wit::TransportError> {
        Ok(self.submit_granted(request.into()).await?.map(Into::into))
    }
}

impl super::bindings::optimize::backup::types::Host for Call {}

impl WasiView for Call {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.world.get_or_insert_with(|| Box::new(World::new(self.log))).view()
    }
}

impl From<wit::Request> for Request {
    fn from(request: wit::Request) -> Self {
        Self {
            method: match request.method {
                wit::Method::Get => Method::Get,
                wit::Method::Put => Method::Put,
                wit::Method::Delete => Method::Delete,
            },
            path: request.path,
            query: request.query,
            body: request.body,
        }
    }
}

impl From<Response> for wit::Response {
    fn from(response: Response) -> Self {
        let retry_after = response.retry_after.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        Self { status: response.status, retry_after, body: response.body }
    }
}

impl From<TransportError> for wit::TransportError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Denied(text) => Self::Denied(text),
            TransportError::Unreachable(text) => Self::Unreachable(text),
            TransportError::Interrupted(text) => Self::Interrupted(text),
            TransportError::Unreadable(text) => Self::Unreadable(text),
        }
    }
}
