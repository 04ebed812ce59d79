//! The names of the indices that verifications make. No installation's indices can have them.

use crate::BackupId;

/// What the names of all of them begin with, with the dash.
pub const SCRATCH: &str = "optimize-backup-verify-";
/// The same without the dash.
pub const SCRATCH_PREFIX: &str = "optimize-backup-verify";
/// The index that one verification at a time can create.
pub const LOCK: &str = "optimize-backup-verify-lock";

/// The longest name of an index.
const MAX_NAME_BYTES: usize = 255;

/// Whether an index of this name is a verification's.
#[must_use]
pub fn is_scratch(name: &str) -> bool {
    name.starts_with(SCRATCH)
}

/// The name of the copy of an index. `None`: it would be longer than the name of an index can be.
#[must_use]
pub fn copy_name(id: BackupId, index: &str) -> Option<String> {
    let name = format!("{SCRATCH}{id}-{index}");
    (name.len() <= MAX_NAME_BYTES).then_some(name)
}
