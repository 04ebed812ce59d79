//! What one call may use, and how it is noticed that it needs more.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::ResourceLimiter;

use super::engine::MAX_TABLE_ELEMENTS;

/// A limit of a call that the amount of data can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallLimit {
    Memory,
    ProcessorTime,
    Transfer,
    EngineCalls,
}

impl CallLimit {
    /// The key of the setting.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Memory => "policy.maxMemoryBytes",
            Self::ProcessorTime => "policy.cpuTime",
            Self::Transfer => "policy.maxTransferBytes",
            Self::EngineCalls => "policy.maxEngineCalls",
        }
    }

    /// Whether it is the policy's fault if a call reaches it that has read only little. The number of requests also
    /// depends on what the search engine answers.
    pub(super) fn can_be_policys_fault(self) -> bool {
        matches!(self, Self::Memory | Self::ProcessorTime | Self::Transfer)
    }
}

/// What is used up, and the setting's key.
impl fmt::Display for CallLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Memory => "memory",
            Self::ProcessorTime => "processor time",
            Self::Transfer => "transfer between policy and host",
            Self::EngineCalls => "requests to the search engine",
        };
        write!(f, "{what} ({})", self.setting())
    }
}

/// Why a call was ended, or denied a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Limit(CallLimit),
    /// The memory that it shares with other calls is used up.
    SharedMemory,
}

/// The linear memory and the tables of a call.
pub(super) struct MemoryLimiter {
    max: usize,
    /// What it may use without sharing, in bytes.
    own: usize,
    shared: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
    pub(super) stop: Option<Stop>,
}

/// Wasmtime's own error for this is private.
pub(super) fn is_transfer_exhausted(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls")
}

/// What memory is shared in.
const PAGE: usize = 64 << 10;

impl MemoryLimiter {
    pub(super) fn new(max: usize, own: usize, shared: Arc<Semaphore>) -> Self {
        Self { max, own, shared, taken: None, stop: None }
    }

    /// How many pages hold so many bytes.
    pub(super) fn pages(bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(PAGE)).unwrap_or(u32::MAX)
    }

    /// Takes what is needed beyond the own part; `false` if others have it.
    fn take(&mut self, bytes: usize) -> bool {
        let taken = self.taken.as_ref().map_or(0, |taken| u32::try_from(taken.num_permits()).unwrap_or(u32::MAX));
        let needed = Self::pages(bytes.saturating_sub(self.own)).saturating_sub(taken);
        if needed == 0 {
            return true;
        }
        let Ok(more) = Arc::clone(&self.shared).try_acquire_many_owned(needed) else { return false };
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        true
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.max {
            self.stop = Some(Stop::Limit(CallLimit::Memory));
            wasmtime::bail!("its memory cannot grow to {desired} bytes");
        }
        // What the component says of itself is its own affair.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if !self.take(desired) {
            self.stop = Some(Stop::SharedMemory);
            wasmtime::bail!("other calls have the memory that it needs");
        }
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        wasmtime::ensure!(desired <= MAX_TABLE_ELEMENTS, "its table cannot grow to {desired} elements");
        Ok(maximum.is_none_or(|maximum| desired <= maximum))
    }
}
