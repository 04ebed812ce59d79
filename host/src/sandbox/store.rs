//! What belongs to one call of a policy and ends with it.

use backup_elasticsearch::EARLY_ANSWER_TIMEOUT;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};

use super::engine::{MAX_TABLE_ELEMENTS, Sandbox};
use super::wasi::WasiState;
use crate::elasticsearch::{Capability, Method, Outstanding, Request, Response, Scope, Submitted, TransportError};

/// The data of a call's store.
pub(super) struct CallState {
    sizes: StoreLimits,
    capability: Capability,
    scope: Scope,
    pub(super) deadline: Instant,
    engine_calls_left: u32,
    cpu_ticks_left: u64,
    /// Made when the component first uses WASI: most policies never do.
    wasi: Option<Box<WasiState>>,
    /// The request of `submit` that is still unanswered.
    pub(super) outstanding: Option<Outstanding>,
}

/// How long a submitted request goes on in the background.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(60 * 60);

impl CallState {
    /// A store for one call, with all limits set.
    pub(super) fn store(sandbox: &Sandbox, capability: Capability, scope: Scope, deadline: Instant) -> Store<Self> {
        let sizes = StoreLimitsBuilder::new().memory_size(sandbox.limits.memory).table_elements(MAX_TABLE_ELEMENTS);
        let call = Self {
            sizes: sizes.trap_on_grow_failure(true).build(),
            capability,
            scope,
            deadline,
            engine_calls_left: sandbox.limits.engine_calls,
            cpu_ticks_left: sandbox.cpu_ticks(),
            wasi: None,
            outstanding: None,
        };
        let mut store = Store::new(&sandbox.engine, call);
        store.limiter(|call| &mut call.sizes);
        store.set_hostcall_fuel(sandbox.limits.transfer);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().tick()));
        store
    }

    pub(super) fn wasi(&mut self) -> &mut WasiState {
        self.wasi.get_or_insert_with(|| Box::new(WasiState::new()))
    }

    /// A tick passed while the guest was computing: other tasks get their turn, until its time is used up.
    fn tick(&mut self) -> UpdateDeadline {
        match self.cpu_ticks_left.checked_sub(1) {
            Some(left) => {
                self.cpu_ticks_left = left;
                UpdateDeadline::Yield(1)
            }
            None => UpdateDeadline::Interrupt,
        }
    }

    /// Takes one request from the budget, and returns the time that it may take.
    fn request_timeout(&mut self, method: Method) -> Result<Duration, TransportError> {
        self.engine_calls_left = self.engine_calls_left.checked_sub(1).ok_or_else(|| {
            TransportError::Denied(
                "this call has used up its requests to the search engine (policy.maxEngineCalls)".to_owned(),
            )
        })?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TransportError::Unreachable("the call's time is up (backup.callTimeout)".to_owned()));
        }
        Ok(backup_elasticsearch::request_timeout(method, left))
    }

    pub(super) async fn send(&mut self, request: Request) -> Result<Response, TransportError> {
        let timeout = self.request_timeout(request.method)?;
        let granted = self.capability.check(request, self.scope)?;
        self.capability.destination.send(&granted, timeout).await
    }

    pub(super) async fn submit(&mut self, request: Request) -> Result<Option<Response>, TransportError> {
        let early = self.request_timeout(request.method)?.min(EARLY_ANSWER_TIMEOUT);
        let granted = self.capability.check(request, self.scope)?;
        match self.capability.destination.submit(granted, early, SUBMIT_TIMEOUT).await {
            Submitted::Answered(outcome) => outcome.map(Some),
            Submitted::Outstanding(request) => {
                self.outstanding = Some(request);
                Ok(None)
            }
        }
    }
}
