//! How many calls run at once, and the memory that they share.
//!
//! Calls that read for callers have permits of their own: however many callers there are, runs and deletions go on. What
//! all calls can use at worst is in `docs/running.md`.

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
    lists: Kind,
    gets: Kind,
    own: Kind,
    shadows: Kind,
}

/// One kind of call.
struct Kind {
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
/// Of runs, deletions and the host itself.
const OWN: u32 = 8;
/// Of shadows.
pub const MAX_SHADOW_CALLS: u32 = 2;
/// How many calls can run at once.
pub(super) const MAX_CONCURRENT_CALLS: u32 = LISTS + GETS + OWN + MAX_SHADOW_CALLS;
/// A call other than `list` has this part of the most memory for itself; what it needs beyond, it shares with its kind.
const OWN_PART: usize = 16;
/// How long a caller's read waits for a permit.
const READ_PATIENCE: Duration = Duration::from_secs(2);

impl Permits {
    /// For calls of which each may have `max_memory` bytes.
    pub(super) fn new(max_memory: usize) -> Self {
        Self {
            lists: Kind::new(LISTS, max_memory, 0),
            gets: Kind::new(GETS, max_memory / OWN_PART, max_memory),
            own: Kind::new(OWN, max_memory / OWN_PART, max_memory),
            shadows: Kind::new(MAX_SHADOW_CALLS, 0, max_memory),
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
        let kind = match (operation, purpose) {
            (_, Purpose::Shadow) => &self.shadows,
            (_, Purpose::Inspection) | (Operation::Create | Operation::Advance | Operation::Delete, _) => &self.own,
            (Operation::Get, _) => &self.gets,
            (Operation::List, _) => &self.lists,
        };
        // Only who has to wait needs a timer.
        if let Ok(permit) = Arc::clone(&kind.calls).try_acquire_owned() {
            return Ok(kind.permit(permit));
        }
        let until = match (operation, purpose) {
            (Operation::Get | Operation::List, Purpose::Service) => deadline.min(Instant::now() + READ_PATIENCE),
            _ => deadline,
        };
        match timeout_at(until, Arc::clone(&kind.calls).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(kind.permit(permit)),
            Ok(Err(closed)) => Err(CallError::Internal(closed.to_string())),
            Err(_elapsed) => Err(CallError::Busy),
        }
    }
}

impl Kind {
    fn new(calls: u32, own_memory: usize, shared_memory: usize) -> Self {
        Self {
            calls: Arc::new(Semaphore::new(calls as usize)),
            shared: Arc::new(Semaphore::new(MemoryLimiter::pages(shared_memory) as usize)),
            own_memory,
        }
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
