//! An engine in memory that responds as real ones do.
//!
//! For tests of code that uses an [`Engine`], and for a host's self-test of a policy. It supports the requests of
//! [`crate::operations`] and answers all others with a 400 that says so. The status, type and reason of its responses
//! are those of real engines; where these differ in what an operation can notice, the [`Dialect`] decides. The test
//! `conformance` of the project compares both.

mod dialect;
mod index;
mod indices;
mod intercepted;
mod repository;
mod response;
mod restores;
mod snapshot;
mod state;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

pub use self::dialect::Dialect;
pub use self::index::StoredIndex;
pub use self::intercepted::Intercepted;
pub use self::snapshot::{Damage, StoredSnapshot};

use self::index::{Shard, Source};
use self::repository::Repository;
use self::state::State;
use crate::{Engine, Request, Response, SnapshotState, Timestamp, TransportError};

/// An engine in memory. Like a real one, it is changed through a shared reference.
#[derive(Debug)]
pub struct MemoryEngine {
    dialect: Dialect,
    state: Mutex<State>,
}

/// What is there and what happens, apart from requests.
impl MemoryEngine {
    /// An empty engine, whose clock shows 0.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, state: Mutex::default() }
    }

    /// The engine that it imitates.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The time on its clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Puts its clock forward.
    pub fn pass(&self, span: Duration) {
        let mut state = self.state();
        state.now = state.now.after(span);
    }

    /// Puts its clock forward to a moment; never back.
    pub fn pass_until(&self, moment: Timestamp) {
        let mut state = self.state();
        state.now = state.now.max(moment);
    }

    /// Registers a snapshot repository. For one that exists, changes only whether it is read-only.
    pub fn add_repository(&self, name: &str, read_only: bool) {
        let mut state = self.state();
        let repository = state.repositories.entry(name.to_owned()).or_insert_with(|| Repository::new(name));
        repository.read_only = read_only;
    }

    /// Creates an index. One that is called `{name}_v{N}` gets the alias `{name}`, as Optimize's have.
    pub fn add_index(&self, name: &str) {
        self.state().indices.index(name);
    }

    /// Deletes an index.
    pub fn remove_index(&self, name: &str) {
        self.state().indices.remove(name);
    }

    /// Unassigns an index's primary shard, or assigns it again.
    pub fn assign_primary(&self, index: &str, is_assigned: bool) {
        self.state().indices.index(index).shard =
            if is_assigned { Shard::Started } else { Shard::Unassigned { reason: "NODE_LEFT", details: None } };
    }

    /// From now on, no node takes the shards of indices that are restored, or nodes take them again.
    pub fn allocate_restored(&self, is_allowed: bool) {
        self.state().is_allocation_off = !is_allowed;
    }

    /// Writes or deletes an index's document with the id 1.
    pub fn set_document(&self, index: &str, document: Option<Value>) {
        let mut state = self.state();
        let index = state.indices.index(index);
        index.stored.document = document;
        index.writes += 1;
    }

    /// Sets the size of an index in bytes.
    pub fn set_size(&self, index: &str, bytes: u64) {
        self.state().indices.index(index).stored.size = bytes;
    }

    /// Sets how many documents an index has besides the one with the ID 1.
    pub fn set_documents(&self, index: &str, count: u64) {
        self.state().indices.index(index).stored.documents = count;
    }

    /// Puts a snapshot into a repository that exists.
    pub fn store(&self, repository: &str, snapshot: StoredSnapshot) {
        if let Some(repository) = self.state().repositories.get_mut(repository) {
            repository.snapshots.push(snapshot);
        }
    }

    /// The snapshots of a repository, oldest first.
    #[must_use]
    pub fn snapshots(&self, repository: &str) -> Vec<StoredSnapshot> {
        self.state().repositories.get(repository).map(|repository| repository.snapshots.clone()).unwrap_or_default()
    }

    /// From now on, snapshots succeed by themselves after this time. Otherwise they run until they are
    /// [finished](Self::finish).
    pub fn write_within(&self, span: Duration) {
        self.state().writing_takes = Some(span);
    }

    /// Writes the snapshots of this name up to so many bytes, without ending them.
    pub fn write(&self, name: &str, bytes: u64) {
        self.change(name, |snapshot| snapshot.written = bytes);
    }

    /// Ends the snapshots of this name.
    pub fn finish(&self, name: &str, state: SnapshotState) {
        let now = self.now();
        self.change(name, |snapshot| snapshot.end(state, now));
    }

    /// Damages the metadata of the snapshots of this name, or repairs it.
    pub fn damage(&self, name: &str, damage: Option<Damage>) {
        self.change(name, |snapshot| snapshot.damage = damage);
    }

    /// From now on, restores end by themselves after this time. Otherwise they are done at once.
    pub fn restore_within(&self, span: Duration) {
        self.state().set_restoring(span);
    }

    /// Stops and starts all nodes: restores that run are lost, and what was restored from where is forgotten.
    pub fn restart(&self) {
        self.state().indices.restart();
    }

    /// Makes a replica of an index its primary: the engine tells of how it was copied, and goes on calling it a replica there.
    pub fn promote_replica(&self, index: &str) {
        self.state().indices.index(index).source = Source::Replica;
    }

    /// Moves the shard of an index to another node: what it was restored from is forgotten.
    pub fn relocate(&self, index: &str) {
        self.state().indices.index(index).source = Source::Copy;
    }

    /// Changes a snapshot in a repository.
    pub fn change_snapshot(&self, name: &str, change: impl Fn(&mut StoredSnapshot)) {
        self.change(name, change);
    }

    /// Changes what is in an index, which is created if it does not exist.
    pub fn change_index(&self, name: &str, change: impl FnOnce(&mut StoredIndex)) {
        change(&mut self.state().indices.index(name).stored);
    }

    /// Closes an index.
    pub fn close_index(&self, name: &str) {
        self.state().indices.index(name).is_closed = true;
    }

    /// Creates a data stream, of which there is only the name.
    pub fn add_data_stream(&self, name: &str) {
        self.state().indices.data_streams.push(name.to_owned());
    }

    /// How much space there is on its disk, of 1 TB.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.state().free_bytes = Some(bytes);
    }

    /// From now on, the watermarks of disks count: 85 % and 90 %.
    pub fn mind_watermarks(&self) {
        self.state().has_watermarks = true;
    }

    /// How many shards its node may have.
    pub fn set_shard_limit(&self, limit: u64) {
        self.state().shard_limit = Some(limit);
    }

    /// The indices by their names: what is in them, and their UUIDs.
    #[must_use]
    pub fn indices(&self) -> BTreeMap<String, (String, StoredIndex)> {
        let state = self.state();
        state.indices.iter().map(|(name, index)| (name.clone(), (index.uuid.clone(), index.stored.clone()))).collect()
    }

    /// The indices with the setting that a restore puts on them.
    #[must_use]
    pub fn marked_indices(&self) -> Vec<String> {
        let state = self.state();
        state.indices.iter().filter(|(_, index)| index.mark.is_some()).map(|(name, _)| name.clone()).collect()
    }

    /// The setting that a restore puts on an index.
    #[must_use]
    pub fn mark_of(&self, index: &str) -> Option<String> {
        self.state().indices.get(index)?.mark.clone()
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    fn change(&self, name: &str, change: impl Fn(&mut StoredSnapshot)) {
        let mut state = self.state();
        let snapshots = state.repositories.values_mut().flat_map(|repository| &mut repository.snapshots);
        snapshots.filter(|snapshot| snapshot.name == name).for_each(change);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in a test must not hide the engine's contents.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for MemoryEngine {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        Ok(self.state().respond(self.dialect, request))
    }

    /// Most engines take longer to delete a running snapshot than a client waits.
    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError> {
        let mut state = self.state();
        let takes_long = state.aborts(request) && !self.dialect.aborts_at_once();
        let response = state.respond(self.dialect, request);
        Ok((!takes_long).then_some(response))
    }
}
