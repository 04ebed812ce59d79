//! The requests of a restore.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Method, Request};
use crate::restore::{ExactIndices, MARK, NewAlias, RenamePattern, WRITE_BLOCK};
use crate::verification::HOLDER;
use crate::{IndexPrefix, RepositoryName, SnapshotName};

impl Request {
    /// Reads the sizes of a finished snapshot's indices. The engine opens the metadata of each of their shards for it, and
    /// fails if one is gone.
    #[must_use]
    pub fn snapshot_sizes(repository: &RepositoryName, name: &SnapshotName) -> Self {
        const FIELDS: &str = "snapshots.snapshot,snapshots.state,snapshots.indices.*.shards_stats,\
            snapshots.indices.*.stats.total.size_in_bytes,error,status";
        Self::new(Method::Get, &["_snapshot", repository.as_str(), &name.to_string(), "_status"])
            .query("filter_path", FIELDS)
    }

    /// Reads the settings of the indices under a prefix that a restore depends on, of closed ones too.
    #[must_use]
    pub fn index_settings(prefix: &IndexPrefix) -> Self {
        let mut names = format!("index.uuid,index.number_of_*,index.blocks.*,{MARK}");
        if prefix.is_of_verifications() {
            names = format!("{names},{HOLDER}");
        }
        Self::new(Method::Get, &[&format!("{prefix}-*"), "_settings", &names])
            .query("expand_wildcards", "all")
            .query("flat_settings", "true")
    }

    /// Reads which indices under a prefix have the mark of a restore, closed ones too: an engine leaves out those without.
    #[must_use]
    pub fn restore_marks(prefix: &IndexPrefix) -> Self {
        Self::new(Method::Get, &[&format!("{prefix}-*"), "_settings", MARK])
            .query("expand_wildcards", "all")
            .query("flat_settings", "true")
    }

    /// Reads where the shards of the indices under a prefix are, and why one is nowhere.
    #[must_use]
    pub fn shards(prefix: &IndexPrefix) -> Self {
        Self::new(Method::Get, &["_cat", "shards", &format!("{prefix}-*")])
            .query("format", "json")
            .query("h", "index,prirep,state,unassigned.reason,unassigned.details")
    }

    /// Reads what the shards of the indices under a prefix were recovered from, and how far that is.
    #[must_use]
    pub fn recoveries(prefix: &IndexPrefix) -> Self {
        const FIELDS: &str = "*.shards.id,*.shards.primary,*.shards.type,*.shards.stage,*.shards.source.repository,\
            *.shards.source.snapshot,*.shards.index.size.total_in_bytes,*.shards.index.size.recovered_in_bytes,\
            *.shards.index.size.reused_in_bytes,error,status";
        Self::new(Method::Get, &[&format!("{prefix}-*"), "_recovery"]).query("filter_path", FIELDS)
    }

    /// Reads which snapshots the cluster is restoring, writing and deleting.
    #[must_use]
    pub fn snapshot_tasks() -> Self {
        Self::new(Method::Get, &["_cluster", "state", "customs"])
            .query("filter_path", "restore,snapshots,snapshot_deletions,error,status")
    }

    /// Reads how many writes the indices under a prefix have seen, and how large they are.
    #[must_use]
    pub fn index_statistics(prefix: &IndexPrefix) -> Self {
        const FIELDS: &str = "indices.*.uuid,indices.*.primaries.indexing.index_total,\
            indices.*.primaries.indexing.delete_total,indices.*.total.store.size_in_bytes,error,status";
        Self::new(Method::Get, &[&format!("{prefix}-*"), "_stats", "indexing,store"]).query("filter_path", FIELDS)
    }

    /// Reads the space on the disks of the nodes.
    #[must_use]
    pub fn disk_space() -> Self {
        Self::new(Method::Get, &["_nodes", "stats", "fs"]).query(
            "filter_path",
            "nodes.*.roles,nodes.*.fs.total.available_in_bytes,nodes.*.fs.total.total_in_bytes,error,status",
        )
    }

    /// Reads how many nodes and shards the cluster has.
    #[must_use]
    pub fn cluster_size() -> Self {
        // A limit of shards is one of open indices.
        Self::new(Method::Get, &["_cluster", "health"])
            .query("expand_wildcards", "open,hidden")
            .query("filter_path", "number_of_data_nodes,active_shards,unassigned_shards,error,status")
    }

    /// Reads how many shards a node may have.
    #[must_use]
    pub fn shard_limit() -> Self {
        Self::new(Method::Get, &["_cluster", "settings"])
            .query("include_defaults", "true")
            .query("filter_path", "*.cluster.max_shards_per_node,error,status")
    }

    /// Reads how full the disk of a node may be.
    #[must_use]
    pub fn disk_watermarks() -> Self {
        Self::new(Method::Get, &["_cluster", "settings"])
            .query("include_defaults", "true")
            .query("filter_path", "*.cluster.routing.allocation.disk,error,status")
    }

    /// Reads the aliases of the indices under a prefix.
    #[must_use]
    pub fn aliases(prefix: &IndexPrefix) -> Self {
        Self::new(Method::Get, &[&format!("{prefix}-*"), "_alias"]).query("expand_wildcards", "all")
    }

    /// Starts to restore exactly these indices, without waiting for its end. They get `mark` as a setting, and nobody can write
    /// to them.
    #[must_use]
    pub fn restore(
        repository: &RepositoryName,
        name: &SnapshotName,
        indices: &ExactIndices,
        rename: Option<&RenamePattern>,
        mark: &str,
    ) -> Self {
        let settings = Map::from_iter([(MARK.to_owned(), json!(mark)), (WRITE_BLOCK.to_owned(), Value::Bool(true))]);
        Self::restoring(repository, name, &RestoreBody::new(indices, rename, settings))
    }

    /// Asks to restore these indices under names that no index can have. An engine refuses that, whatever it has, and refuses
    /// somebody who may not restore before it looks at the names.
    #[must_use]
    pub fn probe_restore(
        repository: &RepositoryName,
        name: &SnapshotName,
        indices: &ExactIndices,
        own: &IndexPrefix,
    ) -> Self {
        let rename = RenamePattern::to_impossible(own);
        Self::restoring(repository, name, &RestoreBody::new(indices, Some(&rename), Map::new()))
    }

    pub(super) fn restoring(repository: &RepositoryName, name: &SnapshotName, body: &RestoreBody<'_>) -> Self {
        Self::new(Method::Post, &["_snapshot", repository.as_str(), &name.to_string(), "_restore"])
            .query("wait_for_completion", "false")
            .with_body(body)
    }

    /// Deletes exactly these indices.
    #[must_use]
    pub fn delete_indices(indices: &ExactIndices) -> Self {
        Self::new(Method::Delete, &[&indices.names().join(",")])
    }

    /// Changes the mark of exactly these indices.
    #[must_use]
    pub fn mark_indices(indices: &ExactIndices, mark: &str) -> Self {
        Self::change_settings(indices, [(MARK, json!(mark))])
    }

    /// Takes the marks of exactly these indices away, which then can be written to.
    #[must_use]
    pub fn release_indices(indices: &ExactIndices) -> Self {
        Self::change_settings(indices, [(MARK, Value::Null), (WRITE_BLOCK, Value::Null)])
    }

    /// Takes nothing but the marks of exactly these indices away.
    #[must_use]
    pub fn unmark_indices(indices: &ExactIndices) -> Self {
        Self::change_settings(indices, [(MARK, Value::Null)])
    }

    fn change_settings<const N: usize>(indices: &ExactIndices, settings: [(&str, Value); N]) -> Self {
        let body: Map<String, Value> = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self::new(Method::Put, &[&indices.names().join(","), "_settings"]).with_body(&body)
    }

    /// Adds aliases.
    #[must_use]
    pub fn add_aliases(aliases: &[NewAlias]) -> Self {
        let actions: Vec<Value> = aliases.iter().map(|alias| json!({"add": alias})).collect();
        Self::new(Method::Post, &["_aliases"]).with_body(&json!({"actions": actions}))
    }
}

#[derive(Serialize)]
pub(super) struct RestoreBody<'a> {
    indices: &'a [String],
    include_global_state: bool,
    partial: bool,
    include_aliases: bool,
    ignore_index_settings: [&'a str; 1],
    index_settings: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rename_pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rename_replacement: Option<String>,
}

impl<'a> RestoreBody<'a> {
    pub(super) fn new(
        indices: &'a ExactIndices,
        rename: Option<&RenamePattern>,
        index_settings: Map<String, Value>,
    ) -> Self {
        Self {
            indices: indices.names(),
            include_global_state: false,
            partial: false,
            include_aliases: rename.is_none(),
            ignore_index_settings: ["index.blocks.*"],
            index_settings,
            rename_pattern: rename.map(RenamePattern::pattern),
            rename_replacement: rename.map(RenamePattern::replacement),
        }
    }
}
