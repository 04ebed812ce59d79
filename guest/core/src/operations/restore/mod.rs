//! The restore of a backup: its plan, its steps, and where it stands.

mod advance;
pub(super) mod capacity;
mod check;
mod findings;
mod guard;
mod inspect;
mod leftovers;
pub(super) mod look;
mod ongoing;
mod outer;
pub(super) mod parts;
mod plan;
mod room;
mod run;

pub use advance::advance;
pub use inspect::get;
pub use ongoing::ongoing;
pub use outer::outer_installations;
pub use plan::plan;

pub(super) use ongoing::{expect_none_in, expect_none_of};

use crate::restore::RenamePattern;
use crate::{Context, Error, IndexPrefix};

/// What the indices are renamed to, and the prefix that they have after the restore.
fn renaming<'a>(
    context: &'a Context,
    rename_prefix: Option<&'a IndexPrefix>,
) -> Result<(Option<RenamePattern>, &'a IndexPrefix), Error> {
    let own = &context.settings.index_prefix;
    let Some(other) = rename_prefix else { return Ok((None, own)) };
    match RenamePattern::new(own, other) {
        Some(rename) => Ok((Some(rename), other)),
        None => Err(Error::InvalidRenamePrefix { prefix: own.clone(), other: other.clone() }),
    }
}
