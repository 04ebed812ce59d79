//! Whether the cluster has room for the copies.

use std::collections::BTreeSet;

use super::next_batch;
use crate::operations::restore::capacity::{Shards, available_bytes};
use crate::operations::restore::parts::Sizes;
use crate::restore::Target;
use crate::{BackupId, Context, Engine, Error};

/// The cluster needs room for as many copies as there are at a time, and for the lock. Where it is not known, the engine says so
/// itself if there is none.
pub(super) fn expect_room(
    engine: &impl Engine,
    context: &Context,
    id: BackupId,
    copied: &[Target],
    sizes: &Sizes,
) -> Result<(), Error> {
    let (needed, shards) = needed(id, copied, sizes);
    if let Ok(available) = available_bytes(engine, context, 0)?
        && needed > available
    {
        return Err(Error::NoRoomForVerification {
            reason: format!(
                "the disks of the data nodes lack about {} bytes ({needed} are needed, and {available} are available below the watermarks); add nodes or space",
                needed - available
            ),
        });
    }
    let known = Shards::of(engine, context)?;
    match known.ok().and_then(|known| known.refusal(shards.saturating_add(1))) {
        Some(reason) => Err(Error::NoRoomForVerification { reason }),
        None => Ok(()),
    }
}

/// The most bytes and shards of the copies that there are at a time.
fn needed(id: BackupId, copied: &[Target], sizes: &Sizes) -> (u64, u64) {
    let size = |target: &&Target| sizes.get(&target.index).copied().unwrap_or((0, 1));
    let (mut left, mut most) = (copied.to_vec(), (0, 0));
    while !left.is_empty() {
        let batch = next_batch(id, &left);
        let bytes = batch.iter().map(|target| size(target).0).fold(0, u64::saturating_add);
        let shards = batch.iter().map(|target| size(target).1).fold(0, u64::saturating_add);
        most = (bytes.max(most.0), shards.max(most.1));
        let names: BTreeSet<String> = batch.iter().map(|target| target.name.clone()).collect();
        left.retain(|target| !names.contains(&target.name));
    }
    most
}
