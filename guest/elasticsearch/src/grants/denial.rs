use super::Scope;

/// Why a request is not granted: what was found, and what is allowed.
///
/// Texts of the policy appear as excerpts with control characters escaped, fit for a log.
#[allow(missing_docs, reason = "each case is explained by its message")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    #[error("`{found}` is none of the granted requests")]
    Request { found: String },
    #[error("the path and query have {found} bytes, and at most {allowed} are granted")]
    TooLong { found: usize, allowed: usize },
    #[error("no snapshot repository is configured, so no request for one is granted")]
    NoRepository,
    #[error("repository `{found}` is not granted, only `{allowed}`")]
    Repository { found: String, allowed: String },
    #[error("snapshot name `{found}` is not granted, only {allowed}")]
    SnapshotName { found: String, allowed: &'static str },
    #[error("`{found}` is not granted to {scope}")]
    Scope { found: String, scope: Scope },
    #[error("index expression `{found}` is not granted here, only `{allowed}`")]
    Expression { found: String, allowed: String },
    #[error("query parameter `{found}` is not granted here, only: {allowed}")]
    Parameter { found: String, allowed: String },
    #[error("`{found}` as the value of query parameter `{name}` is not granted, only {allowed}")]
    ParameterValue { name: &'static str, found: String, allowed: &'static str },
    #[error("query parameter `{0}` is there more than once")]
    RepeatedParameter(&'static str),
    #[error("query parameter `{name}` must be there, as {allowed}")]
    MissingParameter { name: &'static str, allowed: &'static str },
    #[error("this request needs a body that says what it is about")]
    MissingBody,
    #[error("this request must not have a body")]
    UnexpectedBody,
    #[error("the body is not an object of the snapshot settings that are granted: {0}")]
    Body(String),
    #[error("in the body, `{key}` is not granted, only {allowed}")]
    Setting { key: &'static str, allowed: &'static str },
    #[error("the body lists no index, which would mean every index of the cluster")]
    NoIndices,
    #[error("index `{found}` in the body is not granted, only exact names that start with `{prefix}-`")]
    Index { found: String, prefix: String },
}

/// The beginning of a policy's text.
pub(super) fn excerpt(text: &str) -> String {
    backup_core::text::excerpt(text, 200)
}
