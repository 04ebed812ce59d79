//! Reads what verifications have made.

use std::collections::BTreeMap;

use crate::operations::restore::look::{Tasks, add_shards, identities, tasks};
use crate::restore::{ExactIndices, Found, at_once};
use crate::verification::scratch::LOCK;
use crate::verification::{VerificationHolder, VerificationRun};
use crate::{Context, Engine, Error, IndexPrefix};

/// The scratch indices that there are.
pub(super) struct Scratch {
    /// The lock is there.
    pub(super) is_locked: bool,
    /// Whose it is. `None`: there is no lock, or it does not tell.
    pub(super) holder: Option<VerificationHolder>,
    /// All besides the lock.
    pub(super) indices: BTreeMap<String, Found>,
}

impl Scratch {
    /// Reads them with the shards of the copies, and what the cluster is doing.
    pub(super) fn with_shards(engine: &impl Engine, context: &Context) -> Result<(Self, Tasks), Error> {
        let prefix = IndexPrefix::of_verifications();
        let mut found = identities(engine, context, &prefix)?;
        let tasks = tasks(engine, context)?;
        if found.keys().any(|name| name != LOCK) {
            add_shards(engine, context, &prefix, &tasks, &mut found)?;
        }
        Ok((Self::of(found), tasks))
    }

    /// Reads their names, and whose the lock is.
    pub(super) fn names(engine: &impl Engine, context: &Context) -> Result<Self, Error> {
        Ok(Self::of(identities(engine, context, &IndexPrefix::of_verifications())?))
    }

    fn of(mut indices: BTreeMap<String, Found>) -> Self {
        let lock = indices.remove(LOCK);
        let holder = lock.as_ref().and_then(|lock| VerificationHolder::parse(lock.holder.as_deref()?));
        Self { is_locked: lock.is_some(), holder, indices }
    }

    /// Whether the lock is this run's, whatever it has been counted up to.
    pub(super) fn is_of(&self, run: &VerificationRun) -> bool {
        let is_same = |holder: &VerificationHolder| holder.of_copies() == run.holder().of_copies();
        self.holder.as_ref().is_some_and(is_same)
    }
}

/// As many of these scratch indices as one request may name. `None`: there are none.
pub(super) fn some_of<'a>(names: impl Iterator<Item = &'a String>) -> Option<ExactIndices> {
    let names = at_once(names, |name| name.as_str()).into_iter().cloned().collect();
    ExactIndices::new(&IndexPrefix::of_verifications(), names)
}
