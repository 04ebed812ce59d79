use super::Scope;

/// Why a request is not granted: what was found, and what is allowed.
///
/// Texts of the policy appear as excerpts with control characters escaped, fit for a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// No grant is for such a method and path.
    #[error("`{found}` is none of the granted requests")]
    Request {
        /// The method and path.
        found: String,
    },
    /// The path and query are longer than an engine accepts.
    #[error("the path and query have {found} bytes, and at most {allowed} are granted")]
    TooLong {
        /// The length in bytes.
        found: usize,
        /// The greatest length in bytes.
        allowed: usize,
    },
    /// The request is for snapshots, and the operator configured no repository.
    #[error("no snapshot repository is configured, so no request for one is granted")]
    NoRepository,
    /// The request is for another repository.
    #[error("repository `{found}` is not granted, only `{allowed}`")]
    Repository {
        /// The repository in the path.
        found: String,
        /// The configured one.
        allowed: String,
    },
    /// A snapshot's name, or a part of a list of names, is not one of Optimize's backups.
    #[error("snapshot name `{found}` is not granted, only {allowed}")]
    SnapshotName {
        /// The name in the path.
        found: String,
        /// A description of the names that are granted.
        allowed: &'static str,
    },
    /// Another kind of call may send this request, but not the one that did.
    #[error("`{found}` is not granted to {scope}")]
    Scope {
        /// The method, and the first name that it must not be used on.
        found: String,
        /// What the call is for.
        scope: Scope,
    },
    /// The index or index pattern in the path is not the one that is granted.
    #[error("index expression `{found}` is not granted here, only `{allowed}`")]
    Expression {
        /// The expression in the path.
        found: String,
        /// The only one.
        allowed: String,
    },
    /// The request has a query parameter that its grant does not name.
    #[error("query parameter `{found}` is not granted here, only: {allowed}")]
    Parameter {
        /// The parameter's name.
        found: String,
        /// The names that are granted.
        allowed: String,
    },
    /// A query parameter's value is not granted.
    #[error("`{found}` as the value of query parameter `{name}` is not granted, only {allowed}")]
    ParameterValue {
        /// The parameter's name.
        name: &'static str,
        /// Its value.
        found: String,
        /// A description of the values that are granted.
        allowed: &'static str,
    },
    /// A query parameter is repeated: the engine might read another one than was checked.
    #[error("query parameter `{0}` is there more than once")]
    RepeatedParameter(&'static str),
    /// A new snapshot has no body: it would be of every index of the cluster.
    #[error("a new snapshot needs a body that lists its indices")]
    MissingBody,
    /// Only a new snapshot has a body.
    #[error("this request must not have a body")]
    UnexpectedBody,
    /// The body is not a JSON object of known settings, each there at most once.
    #[error("the body is not an object of the snapshot settings that are granted: {0}")]
    Body(String),
    /// A setting in the body has a value that is not granted.
    #[error("in the body, `{key}` is not granted, only {allowed}")]
    Setting {
        /// The setting's name.
        key: &'static str,
        /// A description of the values that are granted.
        allowed: &'static str,
    },
    /// The body lists no index, which an engine takes for every index of the cluster.
    #[error("the body lists no index, which would mean every index of the cluster")]
    NoIndices,
    /// The body lists something that is not exactly one index of the installation.
    #[error("index `{found}` in the body is not granted, only exact names that start with `{prefix}-`")]
    Index {
        /// The name in the list.
        found: String,
        /// What the installation's indices start with, without the dash.
        prefix: String,
    },
}

/// The beginning of a policy's text.
pub(super) fn excerpt(text: &str) -> String {
    backup_core::text::excerpt(text, 200)
}
