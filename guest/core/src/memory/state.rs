use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Dialect;
use super::index::Index;
use super::indices::Indices;
use super::repository::Repository;
use super::response::{Reply, expect_parameters, not_known, parameter, refusal, response, unrecognized};
use super::snapshot::NewSnapshot;
use crate::request::ListMode;
use crate::{Method, Request, Response, SnapshotState, Timestamp};

/// The size of the disk.
const DISK_BYTES: u64 = 1_000_000_000_000;

/// The engine's contents, and its response to each request.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) now: Timestamp,
    /// How long it takes to write a snapshot. `None`: until a test ends it.
    pub(super) writing_takes: Option<Duration>,
    /// How long it takes to restore an index. `None`: it is there at once.
    pub(super) restoring_takes: Option<Duration>,
    /// No node takes a shard that is restored.
    pub(super) is_allocation_off: bool,
    pub(super) repositories: BTreeMap<String, Repository>,
    pub(super) indices: Indices,
    /// The space on the disk of its node. `None`: all of it.
    pub(super) free_bytes: Option<u64>,
    /// The watermarks of disks count.
    pub(super) has_watermarks: bool,
    /// How many shards its node may have. `None`: the default.
    pub(super) shard_limit: Option<u64>,
    pub(super) requests: Vec<Request>,
}

impl State {
    pub(super) fn respond(&mut self, dialect: Dialect, request: &Request) -> Response {
        self.requests.push(request.clone());
        self.finish_due();
        response(request, self.reply(dialect, request))
    }

    /// Whether a request deletes a snapshot that is being written.
    pub(super) fn aborts(&self, request: &Request) -> bool {
        match (request.method, segments(request).as_slice()) {
            (Method::Delete, ["_snapshot", repository, names]) => {
                let names: Vec<&str> = names.split(',').collect();
                self.repositories.get(*repository).is_some_and(|repository| repository.is_writing(&names))
            }
            _ => false,
        }
    }

    /// Ends the snapshots that have been written for long enough.
    fn finish_due(&mut self) {
        self.indices.finish_due(self.now);
        let Some(span) = self.writing_takes else { return };
        for snapshot in self.repositories.values_mut().flat_map(|repository| &mut repository.snapshots) {
            let end = snapshot.started.after(span);
            if snapshot.state == SnapshotState::InProgress && end <= self.now {
                snapshot.end(SnapshotState::Success, end);
            }
        }
    }

    fn reply(&mut self, dialect: Dialect, request: &Request) -> Reply {
        match (request.method, segments(request).as_slice()) {
            (Method::Get, ["_snapshot", repository]) => self.repository(request, repository),
            (Method::Get, ["_snapshot", repository, patterns]) => self.list(dialect, request, repository, patterns),
            (Method::Get, ["_snapshot", repository, name, "_status"]) => {
                self.status(dialect, request, repository, name)
            }
            (Method::Post, ["_snapshot", repository, name, "_restore"]) => {
                self.restore(dialect, request, repository, name)
            }
            (Method::Put, ["_snapshot", repository, name]) => self.create(dialect, request, repository, name),
            (Method::Delete, ["_snapshot", repository, names]) => self.delete(dialect, request, repository, names),
            (Method::Get, ["_resolve", "index", pattern]) => self.resolve(request, pattern),
            (Method::Get, [pattern, "_stats", "store"]) => self.sizes(request, pattern),
            (Method::Get, [index, "_doc", "1"]) => self.document(request, index),
            (Method::Get, ["_nodes", "_all", "http"]) => nodes(dialect, request),
            (Method::Get, ["_nodes", "_master", "stats", "os"]) => self.clock(request),
            (Method::Get, ["_nodes", "stats", "fs"]) => self.disks(request),
            (Method::Get, ["_cluster", "state", "customs"]) => self.tasks(request),
            (Method::Get, ["_cluster", "health"]) => self.cluster_size(request),
            (Method::Get, ["_cluster", "settings"]) => {
                expect_parameters(request, &[("include_defaults", "true"), ("filter_path", "*")])?;
                Ok(self.cluster_settings())
            }
            (Method::Get, ["_cat", "shards", pattern]) => {
                expect_parameters(request, &[("format", "json"), ("h", "*")])?;
                self.indices.shards(pattern)
            }
            (Method::Get, [pattern, "_settings", names]) => {
                expect_parameters(request, &[("expand_wildcards", "all"), ("flat_settings", "true")])?;
                self.indices.each(pattern, true, |index| index.settings(names))
            }
            (Method::Get, [pattern, "_recovery"]) => {
                expect_parameters(request, &[("filter_path", "*")])?;
                self.indices.each(pattern, false, Index::recovery)
            }
            (Method::Get, [pattern, "_stats", "indexing,store"]) => {
                expect_parameters(request, &[("filter_path", "*")])?;
                Ok(json!({"indices": self.indices.each(pattern, false, |index| Some(index.statistics()))?}))
            }
            (Method::Get, [pattern, "_stats", "docs"]) => {
                expect_parameters(request, &[("filter_path", "*")])?;
                Ok(json!({"indices": self.indices.each(pattern, false, Index::documents)?}))
            }
            (Method::Get, [pattern, "_alias"]) => {
                expect_parameters(request, &[("expand_wildcards", "all")])?;
                self.indices.each(pattern, true, |index| Some(index.aliases()))
            }
            (Method::Put, [names, "_settings"]) => self.change_settings(request, names),
            (Method::Put, [name]) => self.create_index(request, name),
            (Method::Post, ["_aliases"]) => self.change_aliases(request),
            (Method::Delete, [names]) => self.delete_indices(request, names),
            _ => Err(not_known(format!("the request {request}"))),
        }
    }

    fn repository(&self, request: &Request, name: &str) -> Reply {
        expect_parameters(request, &[])?;
        self.repositories.get(name).map(Repository::settings).ok_or_else(|| Repository::missing(name))
    }

    fn list(&self, dialect: Dialect, request: &Request, repository: &str, patterns: &str) -> Reply {
        let known =
            [("ignore_unavailable", "true"), ("verbose", "false"), ("index_names", "false"), ("filter_path", "*")];
        expect_parameters(request, &known)?;
        let without_indices = parameter(request, "index_names").is_some();
        if without_indices && !dialect.leaves_out_indices() {
            return Err(unrecognized(request, "index_names"));
        }
        let mode = match (parameter(request, "ignore_unavailable"), parameter(request, "verbose")) {
            (None, None) => ListMode::Strict,
            (Some(_), None) => ListMode::ReadableOnly,
            (None, Some(_)) => ListMode::NamesOnly,
            (Some(_), Some(_)) => return Err(not_known("ignore_unavailable together with verbose")),
        };
        let patterns: Vec<&str> = patterns.split(',').collect();
        match self.repositories.get(repository) {
            Some(repository) if without_indices => repository.list(dialect, &patterns, mode).map(leave_out_indices),
            Some(repository) => repository.list(dialect, &patterns, mode),
            None if dialect.lists_unknown_repositories() => {
                let failure =
                    json!({"type": "repository_missing_exception", "reason": format!("[{repository}] missing")});
                Ok(json!({"snapshots": [], "failures": {repository: failure}}))
            }
            None => Err(Repository::missing(repository)),
        }
    }

    fn status(&self, dialect: Dialect, request: &Request, repository: &str, name: &str) -> Reply {
        expect_parameters(request, &[("filter_path", "*")])?;
        if name.contains(['*', ',']) {
            return Err(not_known("the status but of one snapshot by its exact name"));
        }
        let repository = self.repositories.get(repository).ok_or_else(|| Repository::missing(repository))?;
        repository.status(dialect, name, self.now, self.writing_takes)
    }

    fn create(&mut self, dialect: Dialect, request: &Request, repository: &str, name: &str) -> Reply {
        expect_parameters(request, &[("wait_for_completion", "false")])?;
        let new = NewSnapshot::read(request.body.as_deref())?;
        let repository = self.repositories.get_mut(repository).ok_or_else(|| Repository::missing(repository))?;
        repository.create(dialect, name, new, &self.indices, self.now)
    }

    fn delete(&mut self, dialect: Dialect, request: &Request, repository: &str, names: &str) -> Reply {
        const WAIT: &str = "wait_for_completion";
        expect_parameters(request, &[(WAIT, "false")])?;
        if parameter(request, WAIT).is_some() && !dialect.deletes_without_waiting() {
            return Err(unrecognized(request, WAIT));
        }
        if self.is_restoring(repository, &names.split(',').collect::<Vec<_>>()) {
            let reason = format!("[{repository}:{names}] cannot delete snapshot during a restore in progress");
            return Err(refusal(dialect.conflict(), "concurrent_snapshot_execution_exception", reason));
        }
        let repository = self.repositories.get_mut(repository).ok_or_else(|| Repository::missing(repository))?;
        repository.delete(dialect, &names.split(',').collect::<Vec<_>>())
    }

    fn resolve(&self, request: &Request, pattern: &str) -> Reply {
        expect_parameters(request, &[("expand_wildcards", "all")])?;
        self.indices.resolve(pattern)
    }

    fn sizes(&self, request: &Request, pattern: &str) -> Reply {
        expect_parameters(request, &[("filter_path", "*")])?;
        self.indices.sizes(pattern)
    }

    fn clock(&self, request: &Request) -> Reply {
        expect_parameters(request, &[("filter_path", "*")])?;
        Ok(json!({"nodes": {"the-only-node": {"timestamp": self.now.0}}}))
    }

    fn disks(&self, request: &Request) -> Reply {
        expect_parameters(request, &[("filter_path", "*")])?;
        let available = self.free_bytes.unwrap_or(DISK_BYTES);
        let space = json!({"available_in_bytes": available, "total_in_bytes": DISK_BYTES});
        Ok(json!({"nodes": {"the-only-node": {"roles": ["data", "master"], "fs": {"total": space}}}}))
    }

    fn cluster_settings(&self) -> Value {
        let disk = json!({
            "threshold_enabled": self.has_watermarks.to_string(),
            "watermark": {"low": "85%", "high": "90%"},
        });
        let limit = self.shard_limit.unwrap_or(1_000).to_string();
        json!({"defaults": {"cluster": {"max_shards_per_node": limit, "routing": {"allocation": {"disk": disk}}}}})
    }

    fn cluster_size(&self, request: &Request) -> Reply {
        expect_parameters(request, &[("expand_wildcards", "open,hidden"), ("filter_path", "*")])?;
        let shards = self.indices.iter().count();
        Ok(json!({"number_of_data_nodes": 1, "active_shards": shards, "unassigned_shards": 0}))
    }

    fn document(&self, request: &Request, index: &str) -> Reply {
        expect_parameters(request, &[("_source", "*")])?;
        let field = parameter(request, "_source").ok_or_else(|| not_known("whole documents"))?;
        self.indices.document(index, field)
    }
}

fn leave_out_indices(mut list: Value) -> Value {
    let snapshots = list.get_mut("snapshots").and_then(Value::as_array_mut).into_iter().flatten();
    snapshots.filter_map(Value::as_object_mut).for_each(|snapshot| drop(snapshot.remove("indices")));
    list
}

fn nodes(dialect: Dialect, request: &Request) -> Reply {
    expect_parameters(request, &[("filter_path", "*")])?;
    let node = match dialect.index_version() {
        Some(index_version) => json!({"version": dialect.version(), "index_version": index_version}),
        None => json!({"version": dialect.version()}),
    };
    Ok(json!({"nodes": {"the-only-node": node}}))
}

fn segments(request: &Request) -> Vec<&str> {
    request.path.iter().map(String::as_str).collect()
}
