use crate::BackupId;

/// The setting of the lock that tells whose it is, and of a copy whose run it is of. It is one of those that keep shards off
/// nodes with an attribute, and no node has this one: it changes nothing.
pub const HOLDER: &str = "index.routing.allocation.exclude.optimize_backup_verification";

/// Whose the lock is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationHolder {
    /// The backup that is verified.
    pub backup_id: BackupId,
    /// The run.
    pub run_id: String,
    /// How often it has been counted up.
    pub beat: u64,
}

/// What verifications have left in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerificationTraces {
    /// Whose the lock is.
    pub holder: Option<VerificationHolder>,
    /// The scratch indices that there are, without the lock.
    pub indices: Vec<String>,
}
