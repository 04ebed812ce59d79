use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::admission::Candidate;
use super::circuit_breaker::ConsecutiveFailures;
use super::{ComponentInfo, Digest};
use crate::sandbox::{Mark, Operation, Policy};

/// A policy that was admitted, with what is known of it.
#[derive(Clone)]
pub struct Admitted {
    pub policy: Arc<Policy>,
    pub info: Arc<ComponentInfo>,
    /// The name of the key that it is signed with. `None`: no keys are configured.
    pub signer: Option<String>,
    pub source: Source,
    /// The component itself. `None`: the embedded one.
    pub candidate: Option<Candidate>,
}

/// Where a policy came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Embedded,
    /// The file at `policy.path`.
    File(PathBuf),
    /// `PUT /actuator/policy`.
    Upload,
    /// The last known good one in `policy.cacheDir`.
    Cache(PathBuf),
    Return {
        generation: u64,
        reason: String,
    },
}

/// A policy from one exchange to the next. Whoever holds this keeps the policy alive.
pub struct Generation {
    /// Counted from 1; every exchange makes a new one, a return too.
    pub number: u64,
    pub admitted: Admitted,
    pub since: Timestamp,
    calls: AtomicU64,
    failures: AtomicU64,
    consecutive_failures: Mutex<ConsecutiveFailures>,
    withdrawn: AtomicBool,
}

impl Generation {
    pub(super) fn new(number: u64, admitted: Admitted) -> Arc<Self> {
        Arc::new(Self {
            number,
            admitted,
            since: Timestamp::now(),
            calls: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            consecutive_failures: Mutex::default(),
            withdrawn: AtomicBool::new(false),
        })
    }

    /// Counts a call, and returns how many have ended, this one included, and the consecutive failures of its operation.
    pub(super) fn count(&self, operation: Operation, mark: Mark) -> (u64, u32) {
        let calls = 1 + self.calls.fetch_add(1, Ordering::Relaxed);
        let is_failure = mark == Mark::Bad;
        self.failures.fetch_add(u64::from(is_failure), Ordering::Relaxed);
        let mut consecutive = self.consecutive_failures.lock().unwrap_or_else(PoisonError::into_inner);
        (calls, consecutive.count(operation.name(), is_failure))
    }

    /// Whether it is the same policy, perhaps at another time.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.admitted.info.digest == other.admitted.info.digest
    }

    pub(super) fn mark_withdrawn(&self) {
        self.withdrawn.store(true, Ordering::Relaxed);
    }

    /// It failed too often and another one serves: runs that it began are driven with that one.
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::Relaxed)
    }

    /// Whether it has had so many calls without a failure of its own among them that it counts as good.
    pub(super) fn is_proven(&self, calls: u32) -> bool {
        self.failures() == 0 && self.calls() >= u64::from(calls)
    }

    /// How many calls have ended that tell something about the policy.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// How many of them failed by the policy's own fault: traps, limits in spite of little data, answers against the contract.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

const MAX_WITHDRAWALS: usize = 100;

/// The generations before the serving one.
#[derive(Default)]
pub(super) struct History {
    pub(super) previous: Option<Arc<Generation>>,
    exchanges: u64,
    withdrawals: VecDeque<Withdrawal>,
}

/// A policy that failed here and was replaced for it. It is not admitted again unless forced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    pub digest: Digest,
    pub reason: String,
}

impl History {
    /// The number of the next generation: the first one had 1.
    pub(super) fn next_number(&mut self) -> u64 {
        self.exchanges += 1;
        self.exchanges + 1
    }

    pub(super) fn record(&mut self, withdrawal: Withdrawal) {
        self.withdrawals.truncate(MAX_WITHDRAWALS - 1);
        self.withdrawals.push_front(withdrawal);
    }

    pub(super) fn restore(&mut self, withdrawals: Vec<Withdrawal>) {
        self.withdrawals = withdrawals.into();
    }

    pub(super) fn forgive(&mut self, digest: &Digest) {
        self.withdrawals.retain(|withdrawal| withdrawal.digest != *digest);
    }

    /// The latest first.
    pub(super) fn withdrawals(&self) -> impl Iterator<Item = &Withdrawal> {
        self.withdrawals.iter()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Upload => f.write_str("upload"),
            Self::Cache(path) => write!(f, "cache {}", path.display()),
            Self::Return { generation, reason } => write!(f, "return of generation {generation}: {reason}"),
        }
    }
}
