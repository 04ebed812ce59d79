//! Whether the cluster has room for the copies.

use std::collections::BTreeSet;

use super::next_batch;
use crate::operations::restore::capacity::available_bytes;
use crate::operations::restore::parts::Sizes;
use crate::restore::Target;
use crate::{BackupId, Context, Engine, Error};

/// The disks need room for as many copies as there are at a time. Where it is not known, the engine says so itself if there is
/// none. Nor are shards counted here: which of them count for which limit only the engine knows, and it refuses copies above it.
pub(super) fn expect_room(
    engine: &impl Engine,
    context: &Context,
    id: BackupId,
    copied: &[Target],
    sizes: &Sizes,
) -> Result<(), Error> {
    let needed = needed(id, copied, sizes);
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
    Ok(())
}

/// The most bytes of the copies that there are at a time.
fn needed(id: BackupId, copied: &[Target], sizes: &Sizes) -> u64 {
    let size = |target: &&Target| sizes.get(&target.index).map_or(0, |&(bytes, _)| bytes);
    let (mut left, mut most) = (copied.to_vec(), 0);
    while !left.is_empty() {
        let batch = next_batch(id, &left);
        most = batch.iter().map(size).fold(0, u64::saturating_add).max(most);
        let names: BTreeSet<String> = batch.iter().map(|target| target.name.clone()).collect();
        left.retain(|target| !names.contains(&target.name));
    }
    most
}
