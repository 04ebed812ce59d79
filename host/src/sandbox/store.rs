//! What belongs to one call of a policy and ends with it.

use backup_elasticsearch::{EARLY_ANSWER_TIMEOUT, request_timeout};
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::{Store, UpdateDeadline};

use super::engine::Sandbox;
use super::limits::{CallLimit, MemoryLimiter, Stop};
use super::permits::Permit;
use super::wasi::WasiState;
use super::{CallError, Operation};
use crate::elasticsearch::{
    Capability, LargeResponsePermit, Outstanding, Request, Response, Scope, Submitted, TransportError,
};

/// The data of a call's store.
pub(super) struct CallState {
    memory: MemoryLimiter,
    capability: Capability,
    scope: Scope,
    pub(super) deadline: Instant,
    engine_calls_left: u32,
    /// `None`: used up.
    cpu_ticks_left: Option<u64>,
    /// Of the engine's answers, in bytes.
    read: usize,
    /// Taken while the last answer was large: it is copied after `send` has returned.
    large_response: LargeResponsePermit,
    /// Up to so much, what it needs depends on the policy alone.
    max_bytes_for_policy_fault: usize,
    /// A request was denied because this is used up.
    pub(super) denied_for: Option<CallLimit>,
    /// Made when the component first uses WASI: most policies never do.
    wasi: Option<Box<WasiState>>,
    /// The request of `submit` that is still unanswered.
    pub(super) outstanding: Option<Outstanding>,
}

/// How long a submitted request goes on in the background.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(60 * 60);

const TIME_IS_UP: &str = "the call's time is up (backup.callTimeout)";
/// A call that has read no more than this from the search engine has not reached a limit because of the data.
const MAX_BYTES_FOR_POLICY_FAULT: usize = 1 << 20;
/// A call other than `list` may transfer this part of what a list may: it is about one backup.
const TRANSFER_PART: usize = 8;

fn max_transfer(operation: Operation, of_list: usize) -> usize {
    match operation {
        Operation::List => of_list,
        _ => of_list / TRANSFER_PART,
    }
}

impl CallState {
    /// A store for one call, with all limits set.
    pub(super) fn store(
        sandbox: &Sandbox,
        operation: Operation,
        permit: &Permit,
        capability: Capability,
        scope: Scope,
        deadline: Instant,
    ) -> Store<Self> {
        let limits = &sandbox.limits;
        let call = Self {
            memory: permit.memory(limits.memory),
            capability,
            scope,
            deadline,
            engine_calls_left: limits.engine_calls,
            cpu_ticks_left: Some(sandbox.cpu_ticks()),
            read: 0,
            large_response: LargeResponsePermit::default(),
            max_bytes_for_policy_fault: limits.memory.min(MAX_BYTES_FOR_POLICY_FAULT),
            denied_for: None,
            wasi: None,
            outstanding: None,
        };
        let mut store = Store::new(&sandbox.engine, call);
        store.limiter(|call| &mut call.memory);
        store.set_hostcall_fuel(max_transfer(operation, limits.transfer));
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().tick()));
        store
    }

    /// Why it was ended, as far as that was the host's doing.
    pub(super) fn stop(&self) -> Option<Stop> {
        let cpu_time = || self.cpu_ticks_left.is_none().then_some(Stop::Limit(CallLimit::ProcessorTime));
        self.memory.stop.or_else(cpu_time)
    }

    pub(super) fn limit_reached(&self, limit: CallLimit) -> CallError {
        let read = self.read;
        if limit.can_be_policys_fault() && read <= self.max_bytes_for_policy_fault {
            CallError::LimitByPolicy { limit, read }
        } else {
            CallError::LimitByData { limit, read }
        }
    }

    pub(super) fn wasi(&mut self) -> &mut WasiState {
        self.wasi.get_or_insert_with(|| Box::new(WasiState::new()))
    }

    /// A tick passed while the guest was computing: other tasks get their turn, until its time is used up.
    fn tick(&mut self) -> UpdateDeadline {
        self.cpu_ticks_left = self.cpu_ticks_left.and_then(|left| left.checked_sub(1));
        match self.cpu_ticks_left {
            Some(_) => UpdateDeadline::Yield(1),
            None => UpdateDeadline::Interrupt,
        }
    }

    /// Takes one request from the budget, and returns the time that is left.
    fn take_request(&mut self) -> Result<Duration, TransportError> {
        let Some(calls_left) = self.engine_calls_left.checked_sub(1) else {
            self.denied_for = Some(CallLimit::EngineCalls);
            return Err(TransportError::Denied(format!("this call has used up its {}", CallLimit::EngineCalls)));
        };
        self.engine_calls_left = calls_left;
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TransportError::Unreachable(TIME_IS_UP.to_owned()));
        }
        Ok(left)
    }

    /// Names the setting if the call's time was too short for the engine's answer.
    fn with_setting(&self, error: TransportError) -> TransportError {
        match error {
            TransportError::Interrupted(cause) if Instant::now() >= self.deadline => {
                TransportError::Interrupted(format!("{cause}; {TIME_IS_UP}"))
            }
            other => other,
        }
    }

    pub(super) async fn send(&mut self, request: Request) -> Result<Response, TransportError> {
        let left = self.take_request()?;
        let granted = self.capability.check(request, self.scope.clone())?;
        let timeout = request_timeout(&granted, left);
        self.large_response.release();
        let sent = self.capability.destination.send(&granted, timeout, &self.large_response).await;
        let response = sent.map_err(|error| self.with_setting(error))?;
        self.read = self.read.saturating_add(response.body.len());
        Ok(response)
    }

    pub(super) async fn submit(&mut self, request: Request) -> Result<Option<Response>, TransportError> {
        let left = self.take_request()?;
        let granted = self.capability.check(request, self.scope.clone())?;
        let early = request_timeout(&granted, left).min(EARLY_ANSWER_TIMEOUT);
        self.large_response.release();
        match self.capability.destination.submit(granted, early, SUBMIT_TIMEOUT).await {
            Submitted::Answered(outcome) => outcome.map(Some),
            Submitted::Outstanding(request) => {
                self.outstanding = Some(request);
                Ok(None)
            }
        }
    }
}
