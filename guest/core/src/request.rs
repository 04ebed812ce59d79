mod restore;
mod verification;

use std::fmt;

use serde::Serialize;

use self::restore::RestoreBody;

use crate::metadata::Metadata;
use crate::{IndexPrefix, IndexSelection, Origin, RepositoryName, SnapshotName};

/// The HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Create.
    Put,
    /// Act on what is there.
    Post,
    /// Remove.
    Delete,
}

/// As HTTP writes it: `GET`.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        })
    }
}

/// A request in parts, none of them URL-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The path's segments.
    pub path: Vec<String>,
    /// The query's names and values.
    pub query: Vec<(String, String)>,
    /// A JSON document.
    pub body: Option<String>,
}

/// How to list snapshots. The strict list fails in a damaged repository; the other two then find out what is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListMode {
    /// With all fields. Fails as a whole if one snapshot's metadata cannot be read.
    Strict,
    /// With all fields, without the snapshots whose metadata cannot be read.
    ReadableOnly,
    /// Every name, without opening any metadata file.
    NamesOnly,
}

/// The fields that are read: they are a third of a list of snapshots.
///
/// Elasticsearch 8.11 reports a missing repository in `failures`. The filter also applies to errors, so that it must
/// name `error` and `status`.
const LISTED_FIELDS: &str = "snapshots.snapshot,snapshots.uuid,snapshots.state,snapshots.version,snapshots.version_id,\
    snapshots.start_time_in_millis,snapshots.end_time_in_millis,snapshots.reason,snapshots.failures,\
    snapshots.metadata,failures,error,status";

/// The fields that are read of a snapshot's status.
const STATUS_FIELDS: &str =
    "snapshots.snapshot,snapshots.shards_stats,snapshots.stats,snapshots.indices.*.shards.*.stage,error,status";

impl Request {
    fn new(method: Method, path: &[&str]) -> Self {
        Self { method, path: path.iter().map(|&segment| segment.to_owned()).collect(), query: Vec::new(), body: None }
    }

    fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Reads the repository's own settings.
    #[must_use]
    pub fn repository(repository: &RepositoryName) -> Self {
        Self::new(Method::Get, &["_snapshot", repository.as_str()])
    }

    /// Lists the snapshots whose names match `pattern`.
    #[must_use]
    pub fn list(repository: &RepositoryName, pattern: &str, mode: ListMode) -> Self {
        let list = Self::new(Method::Get, &["_snapshot", repository.as_str(), pattern]);
        match mode {
            ListMode::Strict => list,
            ListMode::ReadableOnly => list.query("ignore_unavailable", "true"),
            ListMode::NamesOnly => list.query("verbose", "false"),
        }
        .query("filter_path", LISTED_FIELDS)
    }

    /// Lists the indices of the snapshots whose names match `pattern`, without opening any metadata file.
    #[must_use]
    pub fn list_indices(repository: &RepositoryName, pattern: &str) -> Self {
        Self::new(Method::Get, &["_snapshot", repository.as_str(), pattern])
            .query("verbose", "false")
            .query("filter_path", "snapshots.snapshot,snapshots.uuid,snapshots.indices,error,status")
    }

    /// Reads how far a snapshot is, or how large a finished one is.
    #[must_use]
    pub fn status(repository: &RepositoryName, name: &SnapshotName) -> Self {
        Self::new(Method::Get, &["_snapshot", repository.as_str(), &name.to_string(), "_status"])
            .query("filter_path", STATUS_FIELDS)
    }

    /// Reads the sizes of the installation's indices, without replicas.
    #[must_use]
    pub fn index_sizes(prefix: &IndexPrefix) -> Self {
        Self::new(Method::Get, &[&format!("{prefix}-*"), "_stats", "store"])
            .query("filter_path", "indices.*.primaries.store.size_in_bytes,error,status")
    }

    /// Reads the times and the indices of snapshots by their exact names.
    #[must_use]
    pub fn contents(repository: &RepositoryName, names: &[String]) -> Self {
        Self::new(Method::Get, &["_snapshot", repository.as_str(), &names.join(",")]).query(
            "filter_path",
            "snapshots.start_time_in_millis,snapshots.end_time_in_millis,snapshots.indices,error,status",
        )
    }

    /// Reads how much data snapshots have, by their exact names.
    #[must_use]
    pub fn sizes(repository: &RepositoryName, names: &[String]) -> Self {
        Self::new(Method::Get, &["_snapshot", repository.as_str(), &names.join(","), "_status"])
            .query("filter_path", "snapshots.stats.total.size_in_bytes,error,status")
    }

    /// Starts a snapshot of exactly these indices, without waiting for its end.
    #[must_use]
    pub fn create(
        repository: &RepositoryName,
        name: &SnapshotName,
        selection: &IndexSelection,
        origin: Origin,
    ) -> Self {
        let body = CreateBody {
            indices: selection.names(),
            include_global_state: false,
            partial: false,
            metadata: origin.into_metadata(),
        };
        Self::new(Method::Put, &["_snapshot", repository.as_str(), &name.to_string()])
            .query("wait_for_completion", "false")
            .with_body(&body)
    }

    /// Deletes snapshots by their exact names.
    #[must_use]
    pub fn delete(repository: &RepositoryName, names: &[String]) -> Self {
        Self::new(Method::Delete, &["_snapshot", repository.as_str(), &names.join(",")])
    }

    /// Lists every index and alias of the installation, hidden and closed ones too.
    #[must_use]
    pub fn resolve(prefix: &IndexPrefix) -> Self {
        Self::new(Method::Get, &["_resolve", "index", &format!("{prefix}-*")]).query("expand_wildcards", "all")
    }

    /// Reads the document in which Optimize keeps its schema version.
    #[must_use]
    pub fn optimize_version(prefix: &IndexPrefix) -> Self {
        Self::new(Method::Get, &[&format!("{prefix}-metadata"), "_doc", "1"]).query("_source", "schemaVersion")
    }

    /// Reads the clock of the node that writes the times of snapshots.
    #[must_use]
    pub fn engine_clock() -> Self {
        Self::new(Method::Get, &["_nodes", "_master", "stats", "os"])
            .query("filter_path", "nodes.*.timestamp,error,status")
    }

    /// Reads the versions of all nodes, of the software and of the index format.
    #[must_use]
    pub fn node_versions() -> Self {
        Self::new(Method::Get, &["_nodes", "_all", "http"])
            .query("filter_path", "nodes.*.version,nodes.*.index_version,error,status")
    }
}

/// For messages: `GET /_snapshot/backups/camunda_optimize_12_*`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.method)?;
        self.path.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}

impl Request {
    fn with_body(mut self, body: &impl Serialize) -> Self {
        self.body = Some(serde_json::json!(body).to_string());
        self
    }
}

#[derive(Serialize)]
struct CreateBody<'a> {
    indices: &'a [String],
    include_global_state: bool,
    partial: bool,
    metadata: Metadata,
}
