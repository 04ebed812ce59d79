//! The requests that a policy may send to the engine. All others are denied.
//!
//! An allow-list: each segment of a path, each query parameter and each key of a body is compared with those that are
//! granted, and nothing is searched for what is forbidden.

mod body;
mod denial;
mod kind;
mod names;
mod operator;
mod own;
mod query;
mod restore;
mod scope;
#[cfg(test)]
mod tests;
mod verification;

pub use denial::Denial;
pub use kind::{KINDS, OTHER_KIND};
pub use operator::OperatorRequest;
pub use own::OwnRequest;
pub use restore::RestoreScope;
pub use scope::Scope;

use self::denial::excerpt;
use self::names::Wildcard;
use backup_core::{IndexPrefix, Method, RepositoryName, Request, TransportError};

/// The requests that a policy may send, for one repository and one installation of Optimize.
///
/// | request | for |
/// |---|---|
/// | `GET /_snapshot/{repository}` | the repository's settings |
/// | `GET /_snapshot/{repository}/{names}` | a list; names may end in `*` |
/// | `GET /_snapshot/{repository}/{names}/_status` | how far a snapshot is |
/// | `PUT /_snapshot/{repository}/{name}` | a new snapshot of exact indices of the installation |
/// | `DELETE /_snapshot/{repository}/{names}` | exact names |
/// | `GET /_resolve/index/{prefix}-*` | the installation's indices |
/// | `GET /{prefix}-metadata/_search`, `GET /{prefix}-metadata/_doc/1` | Optimize's version |
/// | `GET /{prefix}-*/_stats/store` | the sizes of the installation's indices |
/// | `GET /_nodes`, `GET /_nodes/_all/http` | the engine's versions |
/// | `GET /_nodes/_master/stats/os` | the engine's clock |
/// | `GET /{prefix}-*/_settings/…`, `/_recovery`, `/_stats/…`, `/_alias`, `GET /_cat/shards/{prefix}-*` | the installation's indices, and what was restored |
/// | `GET /_cluster/state/customs` | which snapshots are written, restored and deleted |
/// | `GET /_nodes/stats/fs`, `GET /_cluster/health`, `GET /_cluster/settings` | the room for a restore |
/// | `POST /_snapshot/{repository}/{name}/_restore` | exact indices of the installation |
/// | `DELETE /{indices}`, `PUT /{indices}/_settings` | exact indices of a restore |
/// | `POST /_aliases` | those of indices that are restored under another prefix |
/// | `GET /{prefix}-*/_stats/docs` | how many documents a backup is of |
/// | `GET /optimize-backup-verify-*/…`, `GET /optimize-backup-verify-{id}-{index}/_doc/1` | what verifications have made |
/// | `PUT /optimize-backup-verify-lock`, `PUT /optimize-backup-verify-lock/_settings` | the lock of verifications |
///
/// A snapshot's name starts with [`backup_core::NAME_PREFIX`]. Of the PUTs and DELETEs, a call may make only those that
/// it is for: that is its [`Scope`].
#[derive(Clone, Debug)]
pub struct Grants {
    repository: Option<RepositoryName>,
    prefix: IndexPrefix,
}

/// A request that passed the grants: the only kind that a host sends.
///
/// Its body is not the policy's text, but is written from the fields that were checked: the engine cannot read it in
/// another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    request: Request,
    grant: Grant,
    checks_health: bool,
    is_dispensable: bool,
}

/// A kind of request that is granted; see [`Grants`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    ReadRepository,
    ListSnapshots,
    CreateSnapshot,
    DeleteSnapshots,
    SnapshotStatus,
    ResolveIndices,
    ReadMetadata,
    ReadNodes,
    ReadSettings,
    ReadShards,
    ReadRecoveries,
    ReadStatistics,
    ReadAliases,
    ReadTasks,
    ReadClusterSize,
    ReadClusterSettings,
    RestoreSnapshot,
    DeleteIndices,
    MarkIndices,
    AddAliases,
    CountDocuments,
    CreateIndex,
    /// Only for the host itself, as the next one.
    ReadInfo,
    VerifyRepository,
    /// Only for a command that an operator gives.
    Operator,
}

impl Grants {
    /// The greatest length of path and query: what engines accept as a request's first line
    /// (`http.max_initial_line_length`).
    const MAX_TARGET_BYTES: usize = 4096;

    /// Grants what backups in `repository` need. Without a repository, no request for snapshots is granted.
    #[must_use]
    pub fn new(repository: Option<RepositoryName>, prefix: IndexPrefix) -> Self {
        Self { repository, prefix }
    }

    /// Checks a request of a call.
    ///
    /// # Errors
    /// [`Denial`] says what was found and what is allowed.
    pub fn check(&self, request: Request, scope: Scope) -> Result<Granted, Denial> {
        check_length(&request)?;
        let grant = self.find(&request, &scope)?;
        query::check(grant, &request.query)?;
        let body = match &scope {
            Scope::Restore(restore) if grant.is_of_indices() => restore.checked_body(grant, &request)?,
            Scope::Verify(_) | Scope::ClearVerification if grant.is_of_indices() => {
                verification::checked_body(grant, &request, &scope, &self.prefix)?
            }
            _ => self.checked_body(grant, request.body.as_deref())?,
        };
        scope.check(grant, &request)?;
        // A backup is made without it, a verification is not.
        let is_dispensable = grant == Grant::CountDocuments && !scope.is_of_verifications();
        Ok(Granted { request: Request { body, ..request }, grant, checks_health: false, is_dispensable })
    }

    fn find(&self, request: &Request, scope: &Scope) -> Result<Grant, Denial> {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        match (request.method, path.as_slice()) {
            (method, ["_snapshot", repository, rest @ ..]) => {
                self.check_repository(repository)?;
                find_in_repository(method, rest)?
            }
            (Method::Get, ["_resolve", "index", expression]) => {
                if !is_outer(expression, scope) {
                    self.check_expression(expression, "*", scope)?;
                }
                Some(Grant::ResolveIndices)
            }
            (Method::Get, [alias, "_search"] | [alias, "_doc", "1"]) => {
                let is_copy = matches!(scope, Scope::Verify(id) if verification::is_copy(alias, *id, &self.prefix));
                if !is_copy {
                    self.check_expression(alias, "metadata", scope)?;
                }
                Some(Grant::ReadMetadata)
            }
            (
                Method::Get,
                ["_nodes"]
                | ["_nodes", "_all", "http"]
                | ["_nodes", "_master", "stats", "os"]
                | ["_nodes", "stats", "fs"],
            ) => Some(Grant::ReadNodes),
            (Method::Get, ["_cluster", "state", "customs"]) => Some(Grant::ReadTasks),
            (Method::Get, ["_cluster", "health"]) => Some(Grant::ReadClusterSize),
            (Method::Get, ["_cluster", "settings"]) => Some(Grant::ReadClusterSettings),
            (Method::Get, ["_cat", "shards", expression]) => {
                self.check_expression(expression, "*", scope)?;
                Some(Grant::ReadShards)
            }
            (Method::Get, [expression, rest @ ..]) => self.find_of_indices(expression, rest, scope)?,
            (Method::Delete, [_]) => Some(Grant::DeleteIndices),
            (Method::Put, [_, "_settings"]) => Some(Grant::MarkIndices),
            (Method::Put, [_]) => Some(Grant::CreateIndex),
            (Method::Post, ["_aliases"]) => Some(Grant::AddAliases),
            _ => None,
        }
        .ok_or_else(|| Denial::Request { found: excerpt(&request.to_string()) })
    }

    fn check_repository(&self, found: &str) -> Result<(), Denial> {
        let allowed = self.repository.as_ref().ok_or(Denial::NoRepository)?;
        if found == allowed.as_str() {
            return Ok(());
        }
        Err(Denial::Repository { found: excerpt(found), allowed: allowed.to_string() })
    }

    /// What is read of all indices under a prefix.
    fn find_of_indices(&self, expression: &str, rest: &[&str], scope: &Scope) -> Result<Option<Grant>, Denial> {
        let grant = match rest {
            ["_settings", _] => Grant::ReadSettings,
            ["_recovery"] => Grant::ReadRecoveries,
            ["_stats", "store" | "indexing,store"] => Grant::ReadStatistics,
            ["_stats", "docs"] => Grant::CountDocuments,
            ["_alias"] => Grant::ReadAliases,
            _ => return Ok(None),
        };
        self.check_expression(expression, "*", scope)?;
        Ok(Some(grant))
    }

    /// Checks an expression for indices. A restore under another prefix reads that one, too, and a verification what it has
    /// made.
    fn check_expression(&self, found: &str, allowed: &str, scope: &Scope) -> Result<(), Denial> {
        let mut prefixes = std::iter::once(&self.prefix).chain(scope.other_prefix());
        let is_scratch = scope.is_of_verifications() && IndexPrefix::of_verifications().strip(found) == Some("*");
        if is_scratch || prefixes.any(|prefix| prefix.strip(found) == Some(allowed)) {
            return Ok(());
        }
        Err(Denial::Expression { found: excerpt(found), allowed: format!("{}-{allowed}", self.prefix) })
    }

    fn checked_body(&self, grant: Grant, body: Option<&str>) -> Result<Option<String>, Denial> {
        match (grant, body) {
            (Grant::CreateSnapshot, Some(body)) => body::rewrite(body, &self.prefix).map(Some),
            (Grant::CreateSnapshot, None) => Err(Denial::MissingBody),
            // No other call than one of a restore or a verification has these, so that nothing is sent.
            (_, Some(_)) if grant.is_of_indices() => Ok(None),
            (_, Some(_)) => Err(Denial::UnexpectedBody),
            (_, None) => Ok(None),
        }
    }
}

impl Grant {
    /// Only a call of a restore or a verification is granted these.
    fn is_of_indices(self) -> bool {
        matches!(
            self,
            Self::RestoreSnapshot | Self::DeleteIndices | Self::MarkIndices | Self::AddAliases | Self::CreateIndex
        )
    }
}

impl Granted {
    /// What will be sent.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Whether nothing depends on its answer: it is not worth much time, nor a second attempt.
    #[must_use]
    pub fn is_dispensable(&self) -> bool {
        self.is_dispensable
    }

    /// Whether it is not for a caller or a run.
    #[must_use]
    pub fn checks_health(&self) -> bool {
        self.checks_health
    }

    /// What kind of request it is, for metrics: one of [`KINDS`].
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.grant.kind()
    }
}

impl From<Denial> for TransportError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial.to_string())
    }
}

fn find_in_repository(method: Method, rest: &[&str]) -> Result<Option<Grant>, Denial> {
    let (grant, names, wildcard) = match (method, rest) {
        (Method::Get, []) => return Ok(Some(Grant::ReadRepository)),
        (Method::Put, [name]) => {
            names::check_snapshot(name, Wildcard::Denied)?;
            return Ok(Some(Grant::CreateSnapshot));
        }
        (Method::Post, [name, "_restore"]) => {
            names::check_snapshot(name, Wildcard::Denied)?;
            return Ok(Some(Grant::RestoreSnapshot));
        }
        (Method::Get, [names]) => (Grant::ListSnapshots, names, Wildcard::AtTheEnd),
        (Method::Get, [names, "_status"]) => (Grant::SnapshotStatus, names, Wildcard::Denied),
        (Method::Delete, [names]) => (Grant::DeleteSnapshots, names, Wildcard::Denied),
        _ => return Ok(None),
    };
    names.split(',').try_for_each(|name| names::check_snapshot(name, wildcard))?;
    Ok(Some(grant))
}

/// Whether it finds the names of installations that would find those of the other prefix.
fn is_outer(expression: &str, scope: &Scope) -> bool {
    let mut outer = scope.other_prefix().into_iter().flat_map(IndexPrefix::outer);
    outer.any(|outer| outer.strip(expression) == Some("*"))
}

fn check_length(request: &Request) -> Result<(), Denial> {
    let query = crate::query(request).map_or(0, |query| query.len() + 1);
    let found = crate::path("", request).len() + query;
    if found <= Grants::MAX_TARGET_BYTES {
        Ok(())
    } else {
        Err(Denial::TooLong { found, allowed: Grants::MAX_TARGET_BYTES })
    }
}
