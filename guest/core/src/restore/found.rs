use super::{Mark, Target};

/// An index that exists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Its UUID.
    pub(crate) uuid: String,
    /// The mark of an unfinished restore.
    pub(crate) mark: Option<Mark>,
    /// Whose it is, of what a verification makes.
    pub(crate) holder: Option<String>,
    /// It cannot be deleted as long as this block is set.
    pub(crate) block: Option<&'static str>,
    /// A block is set that forbids a change of settings.
    pub(crate) is_blocked: bool,
    /// Nobody can write to it.
    pub(crate) has_write_block: bool,
    pub(crate) replicas: u64,
    /// The cluster is restoring it.
    pub(crate) is_being_restored: bool,
    /// Its primary shards. None: it is closed.
    pub(crate) primaries: Vec<Primary>,
    /// What they were recovered from, as far as it is known.
    pub(crate) recoveries: Vec<Recovery>,
}

/// A primary shard.
#[derive(Clone, Debug)]
pub(crate) struct Primary {
    pub(crate) state: ShardState,
    /// The engine lost it with the whole cluster, before it was restored.
    pub(crate) is_lost: bool,
    /// A node tried to restore it, and what is in the snapshot was the reason that it could not.
    pub(crate) is_faulty: bool,
    /// Why it is on no node.
    pub(crate) details: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShardState {
    Started,
    Initializing,
    Unassigned,
}

/// What a primary shard was recovered from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recovery {
    /// Repository and snapshot. `None`: something else.
    pub(crate) snapshot: Option<(String, String)>,
    /// Another copy of the shard.
    pub(crate) is_from_copy: bool,
    /// What the node had of it when it was started.
    pub(crate) is_from_disk: bool,
    pub(crate) is_done: bool,
    pub(crate) total_bytes: u64,
    pub(crate) done_bytes: u64,
}

impl Recovery {
    pub(crate) fn is_running(&self) -> bool {
        (self.snapshot.is_some() || self.is_from_copy) && !self.is_done
    }
}

impl Found {
    /// It has the mark of an unfinished restore from this snapshot.
    pub(crate) fn is_marked_for(&self, target: &Target) -> bool {
        self.mark.as_ref().is_some_and(|mark| mark.uuid() == target.snapshot_uuid)
    }

    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.mark, Some(Mark::Finished(_)))
    }

    /// Its restore runs, or a shard of it is being started.
    pub(crate) fn is_recovering(&self) -> bool {
        self.is_being_restored || self.primaries.iter().any(|primary| primary.state == ShardState::Initializing)
    }

    /// A primary shard is on no node, and waits for none: no node tried to restore it, or the one that had it is gone.
    pub(crate) fn is_on_no_node(&self) -> bool {
        !self.is_recovering() && self.why_unassigned().is_some() && self.fault().is_none()
    }

    pub(crate) fn is_started(&self) -> bool {
        !self.primaries.is_empty() && self.primaries.iter().all(|primary| primary.state == ShardState::Started)
    }

    /// Every primary shard was restored from this snapshot, as far as it is known now.
    pub(crate) fn is_recovered_from(&self, repository: &str, snapshot: &str) -> bool {
        self.comes_from(repository, snapshot, |_| false)
    }

    /// The same of an index that was created by the restore and has not been noted: a copy is one of what was restored.
    pub(crate) fn has_arrived_from(&self, repository: &str, snapshot: &str) -> bool {
        self.comes_from(repository, snapshot, |recovery| recovery.is_from_copy)
    }

    /// The same of an index whose shard may have moved and whose node may have been started again since: it was not created
    /// empty, and is from no other snapshot.
    pub(crate) fn can_be_from(&self, repository: &str, snapshot: &str) -> bool {
        self.comes_from(repository, snapshot, |recovery| recovery.is_from_copy || recovery.is_from_disk)
    }

    fn comes_from(&self, repository: &str, snapshot: &str, is_other_way: impl Fn(&Recovery) -> bool) -> bool {
        let is_from = |recovery: &Recovery| match &recovery.snapshot {
            Some((r, s)) => r == repository && s == snapshot,
            None => is_other_way(recovery),
        };
        self.is_started()
            && self.recoveries.len() == self.primaries.len()
            && self.recoveries.iter().all(|recovery| recovery.is_done && is_from(recovery))
    }

    /// Why a node could not restore a primary shard. `None` if no node tried: none was allowed to, or the one that had it is gone.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.primaries.iter().find(|primary| primary.is_faulty).map(|primary| primary.details.as_str())
    }

    /// Why it has a primary shard on no node.
    pub(crate) fn why_unassigned(&self) -> Option<&str> {
        let unassigned = self.primaries.iter().find(|primary| primary.state == ShardState::Unassigned)?;
        Some(if unassigned.details.is_empty() { "the search engine does not tell why" } else { &unassigned.details })
    }
}
