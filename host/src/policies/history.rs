use std::collections::VecDeque;
use std::sync::Arc;

use super::{Digest, Generation};

/// How many withdrawals are remembered.
const REMEMBERED: usize = 100;

/// What is kept of the generations before the serving one.
#[derive(Default)]
pub(super) struct History {
    /// The one that would come back.
    pub(super) previous: Option<Arc<Generation>>,
    exchanges: u64,
    withdrawals: VecDeque<Withdrawal>,
}

/// A policy that failed here and was replaced for it. It is not admitted again unless forced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// Which policy.
    pub digest: Digest,
    /// What it did.
    pub reason: String,
}

impl History {
    /// The number of the next generation: the first one had 1.
    pub(super) fn next_number(&mut self) -> u64 {
        self.exchanges += 1;
        self.exchanges + 1
    }

    pub(super) fn note(&mut self, withdrawal: Withdrawal) {
        self.withdrawals.truncate(REMEMBERED - 1);
        self.withdrawals.push_front(withdrawal);
    }

    /// The latest first.
    pub(super) fn withdrawals(&self) -> impl Iterator<Item = &Withdrawal> {
        self.withdrawals.iter()
    }
}
