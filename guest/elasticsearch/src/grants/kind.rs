//! The kinds of requests, for metrics.

use super::Grant;

/// Every kind of a granted request.
pub const KINDS: [&str; 19] = [
    "repository",
    "list",
    "create",
    "delete",
    "status",
    "resolve",
    "sizes",
    "documents",
    "metadata",
    "nodes",
    "indices",
    "cluster",
    "restore",
    "delete_indices",
    "mark_indices",
    "aliases",
    "lock",
    "info",
    "verify",
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
            Self::ReadStatistics => "sizes",
            Self::CountDocuments => "documents",
            Self::ReadMetadata => "metadata",
            Self::ReadNodes => "nodes",
            Self::ReadSettings | Self::ReadShards | Self::ReadRecoveries | Self::ReadAliases => "indices",
            Self::ReadTasks | Self::ReadClusterSize | Self::ReadClusterSettings => "cluster",
            Self::RestoreSnapshot => "restore",
            Self::DeleteIndices => "delete_indices",
            Self::MarkIndices => "mark_indices",
            Self::AddAliases => "aliases",
            Self::CreateIndex => "lock",
            Self::ReadInfo => "info",
            Self::VerifyRepository => "verify",
            // No server sends it.
            Self::Operator => OTHER_KIND,
        }
    }
}
