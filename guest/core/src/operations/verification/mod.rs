//! The verification of a backup: its beginning, its steps, and what one has left.

mod advance;
mod begin;
mod checks;
mod clear;
mod scratch;

pub use advance::advance;
pub use begin::begin;
pub use clear::{clear, traces};

use crate::restore::{RenamePattern, Target, TargetPart, own_indices};
use crate::verification::scratch::copy_name;
use crate::{BackupId, Context};

/// The installation's indices in the parts of a backup, with the names of their copies. Those without a copy are in the second
/// list: the name would be too long.
fn targets(context: &Context, id: BackupId, parts: &[TargetPart]) -> (Vec<Target>, Vec<Target>) {
    let own = &context.settings.index_prefix;
    let (targets, _) = own_indices(parts, own, Some(&RenamePattern::to_copies(own, id)));
    targets.into_iter().partition(|target| copy_name(id, &target.index).is_some())
}
