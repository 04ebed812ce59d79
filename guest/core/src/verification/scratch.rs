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

/// The name of the copy of an index: with the whole name of the index, or with a number in its place.
#[must_use]
pub fn copy_name(id: BackupId, index: &str) -> String {
    numbered_copy(id, index).unwrap_or_else(|| format!("{SCRATCH}{id}-{index}"))
}

/// The name of the copy of an index whose own name would make it longer than the name of an index can be. No prefix of an
/// installation begins with the character before the number.
pub(crate) fn numbered_copy(id: BackupId, index: &str) -> Option<String> {
    let is_too_long = SCRATCH.len() + id.to_string().len() + 1 + index.len() > MAX_NAME_BYTES;
    is_too_long.then(|| format!("{SCRATCH}{id}-_{:016x}", number_of(index)))
}

/// FNV-1a: the same for the policy that makes the copy and the host that grants it.
fn number_of(index: &str) -> u64 {
    index.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
