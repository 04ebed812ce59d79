//! How many calls run at once, and the memory that they share.
//!
//! Calls for callers and calls of the host itself have permits of their own: however many callers there are, runs go on.
//! What all calls can use at worst is in `docs/operations.md`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::limits::MemoryLimiter;
use super::{CallError, Operation};

/// On whose behalf a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A caller or a run waits for the answer.
    Service,
    /// The host looks by itself: for backups that nobody drives, or whether a candidate is any good.
    Inspection,
    /// A copy of a caller's read, whose answer nobody gets.
    Shadow,
}

/// The permits of every kind of call.
pub(super) struct Permits {
    lists: Pool,
    gets: Pool,
    writes: Pool,
    background: Pool,
    shadows: Pool,
}

/// The permits of one kind.
struct Pool {
    calls: Arc<Semaphore>,
    /// What calls share that need more than their own part, in pages.
    shared: Arc<Semaphore>,
    /// What each call has for itself, in bytes.
    own_memory: usize,
}

/// Held for as long as a call takes.
pub(super) struct Permit {
    _call: OwnedSemaphorePermit,
    shared: Arc<Semaphore>,
    own_memory: usize,
}

const LISTS: u32 = 2;
const GETS: u32 = 8;
/// Of callers who begin or delete backups.
const WRITES: u32 = 4;
/// Of runs and of what the host looks for by itself.
const BACKGROUND: u32 = 4;
/// Of shadows.
pub const MAX_SHADOW_CALLS: u32 = 2;
/// How many calls can run at once.
pub(super) const MAX_CONCURRENT_CALLS: u32 = LISTS + GETS + WRITES + BACKGROUND + MAX_SHADOW_CALLS;
/// A call other than `list` has the most memory divided by this for itself; what it needs beyond, it shares with others.
const OWN_MEMORY_DIVISOR: usize = 16;
/// How long a caller's read waits for a permit.
const READ_PERMIT_TIMEOUT: Duration = Duration::from_secs(2);

impl Permits {
    /// For calls of which each may have `max_memory` bytes.
    pub(super) fn new(max_memory: usize) -> Self {
        let own_memory = max_memory / OWN_MEMORY_DIVISOR;
        let shared = |bytes| Arc::new(Semaphore::new(MemoryLimiter::pages(bytes) as usize));
        let of_writes_and_background = shared(max_memory);
        Self {
            lists: Pool::new(LISTS, max_memory, shared(0)),
            gets: Pool::new(GETS, own_memory, shared(max_memory)),
            writes: Pool::new(WRITES, own_memory, Arc::clone(&of_writes_and_background)),
            background: Pool::new(BACKGROUND, own_memory, of_writes_and_background),
            shadows: Pool::new(MAX_SHADOW_CALLS, 0, shared(max_memory)),
        }
    }

    /// Waits for a permit: a read of a caller for a moment, everything else until `deadline`.
    ///
    /// # Errors
    /// [`CallError::Busy`]: there was none in time.
    pub(super) async fn acquire(
        &self,
        operation: Operation,
        purpose: Purpose,
        deadline: Instant,
    ) -> Result<Permit, CallError> {
        let pool = match (operation, purpose) {
            (_, Purpose::Shadow) => &self.shadows,
            (_, Purpose::Inspection)
            | (
                Operation::Advance
                | Operation::Expire
                | Operation::AdvanceRestore
                | Operation::AdvanceVerification
                | Operation::ClearVerification,
                _,
            ) => &self.background,
            (Operation::Create | Operation::Delete | Operation::PlanRestore | Operation::BeginVerification, _) => {
                &self.writes
            }
            (Operation::Get | Operation::Progress | Operation::GetRestore | Operation::VerificationTraces, _) => {
                &self.gets
            }
            (Operation::List, _) => &self.lists,
        };
        // Avoids a timer if a permit is free.
        if let Ok(permit) = Arc::clone(&pool.calls).try_acquire_owned() {
            return Ok(pool.permit(permit));
        }
        let until = match (operation, purpose) {
            (
                Operation::Get
                | Operation::Progress
                | Operation::GetRestore
                | Operation::VerificationTraces
                | Operation::List,
                Purpose::Service,
            ) => deadline.min(Instant::now() + READ_PERMIT_TIMEOUT),
            _ => deadline,
        };
        match timeout_at(until, Arc::clone(&pool.calls).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(pool.permit(permit)),
            Ok(Err(closed)) => Err(CallError::Internal(closed.to_string())),
            Err(_elapsed) => Err(CallError::Busy),
        }
    }
}

impl Pool {
    fn new(calls: u32, own_memory: usize, shared: Arc<Semaphore>) -> Self {
        Self { calls: Arc::new(Semaphore::new(calls as usize)), shared, own_memory }
    }

    fn permit(&self, call: OwnedSemaphorePermit) -> Permit {
        Permit { _call: call, shared: Arc::clone(&self.shared), own_memory: self.own_memory }
    }
}

impl Permit {
    /// The memory that this call may use, up to `max` bytes.
    pub(super) fn memory(&self, max: usize) -> MemoryLimiter {
        MemoryLimiter::new(max, self.own_memory, Arc::clone(&self.shared))
    }
}
