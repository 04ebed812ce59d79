//! The requests of a verification, besides those that it has in common with a restore.

use serde_json::{Map, json};

use super::{Method, Request, RestoreBody};
use crate::restore::{ExactIndices, MARK, RenamePattern};
use crate::verification::HOLDER;
use crate::verification::scratch::LOCK;
use crate::{IndexPrefix, RepositoryName, SnapshotName};

impl Request {
    /// Reads how many documents the indices under a prefix have.
    #[must_use]
    pub fn documents(prefix: &IndexPrefix) -> Self {
        Self::new(Method::Get, &[&format!("{prefix}-*"), "_stats", "docs"]).query(
            "filter_path",
            "_shards.total,_shards.successful,_shards.failed,indices.*.primaries.docs.count,error,status",
        )
    }

    /// Creates the lock of verifications, without waiting for its shard. Of several, the engine lets one succeed.
    #[must_use]
    pub fn take_lock(holder: &str) -> Self {
        let settings = json!({"index.number_of_shards": "1", "index.number_of_replicas": "0", HOLDER: holder});
        Self::new(Method::Put, &[LOCK]).query("wait_for_active_shards", "0").with_body(&json!({"settings": settings}))
    }

    /// Changes what the lock tells of its holder.
    #[must_use]
    pub fn hold_lock(holder: &str) -> Self {
        Self::new(Method::Put, &[LOCK, "_settings"]).with_body(&json!({HOLDER: holder}))
    }

    /// Deletes the lock.
    #[must_use]
    pub fn release_lock() -> Self {
        Self::new(Method::Delete, &[LOCK])
    }

    /// Starts to restore copies of exactly these indices, without aliases and replicas and without waiting for its end. They
    /// get the snapshot's UUID and the run as settings.
    #[must_use]
    pub fn copy_indices(
        repository: &RepositoryName,
        name: &SnapshotName,
        indices: &ExactIndices,
        rename: &RenamePattern,
        mark: &str,
        holder: &str,
    ) -> Self {
        let settings = [
            (MARK, mark),
            (HOLDER, holder),
            ("index.number_of_replicas", "0"),
            ("index.auto_expand_replicas", "false"),
        ];
        let settings = Map::from_iter(settings.map(|(name, value)| (name.to_owned(), json!(value))));
        Self::restoring(repository, name, &RestoreBody::new(indices, Some(rename), settings))
    }

    /// Reads the version of Optimize in a copy of its metadata index.
    #[must_use]
    pub fn copied_version(copy: &str) -> Self {
        Self::new(Method::Get, &[copy, "_doc", "1"]).query("_source", "schemaVersion")
    }
}
