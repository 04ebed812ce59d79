//! The kinds of requests, for metrics.

use super::Grant;

/// Every kind of a granted request.
pub const KINDS: [&str; 12] = [
    "repository",
    "list",
    "create",
    "delete",
    "status",
    "resolve",
    "sizes",
    "metadata",
    "nodes",
    "info",
    "verify",
    "operator",
];
/// For a request that is none of these: it is denied.
pub const OTHER_KIND: &str = "other";

impl Grant {
    /// One of [`KINDS`].
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::ReadRepository => "repository",
            Self::ListSnapshots => "list",
            Self::CreateSnapshot => "create",
            Self::DeleteSnapshots => "delete",
            Self::SnapshotStatus => "status",
            Self::ResolveIndices => "resolve",
            Self::ReadSizes => "sizes",
            Self::ReadMetadata => "metadata",
            Self::ReadNodes => "nodes",
            Self::ReadInfo => "info",
            Self::VerifyRepository => "verify",
            Self::Operator => "operator",
        }
    }
}
