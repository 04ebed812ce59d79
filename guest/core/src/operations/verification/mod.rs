//! The verification of a backup: its beginning, its steps, and what one has left.

mod advance;
mod begin;
mod checks;
mod clear;
mod room;
mod scratch;

pub use advance::advance;
pub use begin::begin;
pub use clear::{clear, traces};

use crate::restore::{Target, TargetPart, at_once, own_indices};
use crate::verification::scratch::{copy_name, numbered_copy};
use crate::{BackupId, Context};

/// The installation's indices in the parts of a backup, with the names of their copies.
fn targets(context: &Context, id: BackupId, parts: &[TargetPart]) -> Vec<Target> {
    let (targets, _) = own_indices(parts, &context.settings.index_prefix, None);
    targets.into_iter().map(|target| Target { name: copy_name(id, &target.index), ..target }).collect()
}

/// Those that are copied next, all of one part. One whose copy has a number in its name is copied alone.
fn next_batch(id: BackupId, left: &[Target]) -> Vec<&Target> {
    let Some(first) = left.first() else { return Vec::new() };
    let is_alone = |target: &Target| numbered_copy(id, &target.index).is_some();
    if is_alone(first) {
        return vec![first];
    }
    let together = left.iter().filter(|target| target.part == first.part && !is_alone(target));
    at_once(together, |target| target.name.as_str())
}
