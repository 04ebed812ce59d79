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

impl VerificationHolder {
    /// Reads the setting of a lock.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (id, rest) = text.split_once('.')?;
        let (run_id, beat) = rest.rsplit_once('.')?;
        let is_named = !run_id.is_empty();
        let (backup_id, beat) = (BackupId::parse(id).ok()?, beat.parse().ok()?);
        is_named.then(|| Self { backup_id, run_id: run_id.to_owned(), beat })
    }

    /// The setting of the lock.
    #[must_use]
    pub fn to_setting(&self) -> String {
        format!("{}.{}", self.of_copies(), self.beat)
    }

    /// The setting of its copies.
    #[must_use]
    pub fn of_copies(&self) -> String {
        format!("{}.{}", self.backup_id, self.run_id)
    }
}

/// What verifications have left in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerificationTraces {
    /// Whose the lock is.
    pub holder: Option<VerificationHolder>,
    /// The scratch indices that there are, without a lock that tells its holder.
    pub indices: Vec<String>,
}

#[cfg(test)]
mod tests;
