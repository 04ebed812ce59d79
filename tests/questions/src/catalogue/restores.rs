//! What a restore asks.

use backup_core::restore::{ExactIndices, NewAlias, RenamePattern};
use backup_core::{IndexPrefix, RepositoryName, Request, SnapshotName};

use super::{BoxError, Questions, question};
use crate::Preparation::{Damaged, Restored, Snapshot};
use crate::{OTHER_PREFIX, RESTORED_INDEX, read};

/// A name of a backup's part: others are refused by the type.
const PART: &str = "camunda_optimize_1_8.6.0_part_1_of_2";

pub(super) fn questions() -> Questions {
    let one = [Snapshot(PART)];
    let restored = [Snapshot(PART), Restored(PART)];
    let (own, other) = (IndexPrefix::parse("optimize")?, IndexPrefix::parse(OTHER_PREFIX)?);
    let here = |repository, index| restore(repository, PART, &own, index, None);
    let alias = NewAlias {
        index: RESTORED_INDEX.to_owned(),
        alias: format!("{OTHER_PREFIX}-alert"),
        is_write_index: Some(true),
    };
    let sizes = |name| Ok::<_, BoxError>(Request::snapshot_sizes(&RepositoryName::parse(name)?, &part()?));
    Ok(vec![
        question("restore_over_an_index", &one, here("restore_over_an_index", "optimize-alert_v4")?, read::whole),
        question(
            "restore_what_is_not_in_it",
            &one,
            here("restore_what_is_not_in_it", "optimize-none_v1")?,
            read::whole,
        ),
        question(
            "restore_of_what_is_there_as_rehearsal",
            &one,
            rehearsal("restore_of_what_is_there_as_rehearsal", "optimize-alert_v4")?,
            read::whole,
        ),
        question(
            "restore_of_what_is_not_there_as_rehearsal",
            &one,
            rehearsal("restore_of_what_is_not_there_as_rehearsal", "optimize-none_v1")?,
            read::whole,
        ),
        question("restore_of_none", &[], here("restore_of_none", "optimize-alert_v4")?, read::whole),
        question("restore_unknown_repository", &[], here("none", "optimize-alert_v4")?, read::whole),
        question("restore_renamed", &one, restore_renamed("restore_renamed", PART)?, read::whole),
        question("restore_renamed_twice", &restored, restore_renamed("restore_renamed_twice", PART)?, read::whole),
        question("index_settings", &restored, Request::index_settings(&other), read::settings),
        question("index_settings_of_none", &[], Request::index_settings(&IndexPrefix::parse("none")?), read::settings),
        question("restore_marks", &restored, Request::restore_marks(&other), read::settings),
        question("shards", &restored, Request::shards(&other), read::shards),
        question("recoveries", &restored, Request::recoveries(&other), read::recoveries),
        question("statistics", &restored, Request::index_statistics(&other), read::statistics),
        question("aliases_of_restored", &restored, Request::aliases(&other), read::whole),
        question("tasks", &restored, Request::snapshot_tasks(), read::tasks),
        question("mark", &restored, Request::mark_indices(&exact(&other, RESTORED_INDEX)?, "u.restored"), read::whole),
        question("take_mark_away", &restored, Request::release_indices(&exact(&other, RESTORED_INDEX)?), read::whole),
        question("mark_missing", &[], Request::unmark_indices(&exact(&own, "optimize-none_v1")?), read::whole),
        question("add_alias", &restored, Request::add_aliases(&[alias]), read::acknowledged),
        question("delete_index", &restored, Request::delete_indices(&exact(&other, RESTORED_INDEX)?), read::whole),
        question("delete_missing_index", &[], Request::delete_indices(&exact(&own, "optimize-none_v1")?), read::whole),
        question("snapshot_sizes", &one, sizes("snapshot_sizes")?, read::snapshot_sizes),
        question(
            "snapshot_sizes_of_damaged",
            &[Snapshot(PART), Damaged(PART, backup_core::memory::Damage::Missing)],
            sizes("snapshot_sizes_of_damaged")?,
            read::snapshot_sizes,
        ),
        question("disk_space", &[], Request::disk_space(), read::disks),
        question("cluster_size", &[], Request::cluster_size(), read::cluster_size),
        question("shard_limit", &[], Request::shard_limit(), read::shard_limit),
        question("disk_watermarks", &[], Request::disk_watermarks(), read::watermarks),
    ])
}

/// Restores the index of a snapshot under [`OTHER_PREFIX`].
///
/// # Errors
/// None: the names are valid.
pub fn restore_renamed(repository: &str, snapshot: &str) -> Result<Request, BoxError> {
    let (own, other) = (IndexPrefix::parse("optimize")?, IndexPrefix::parse(OTHER_PREFIX)?);
    let rename = RenamePattern::new(&own, &other).ok_or("two prefixes of which one begins with the other")?;
    restore(repository, snapshot, &own, "optimize-alert_v4", Some(&rename))
}

fn restore(
    repository: &str,
    snapshot: &str,
    prefix: &IndexPrefix,
    index: &str,
    rename: Option<&RenamePattern>,
) -> Result<Request, BoxError> {
    let name = SnapshotName::parse(snapshot).ok_or("no name of a part")?;
    Ok(Request::restore(&RepositoryName::parse(repository)?, &name, &exact(prefix, index)?, rename, "u"))
}

fn rehearsal(repository: &str, index: &str) -> Result<Request, BoxError> {
    let own = IndexPrefix::parse("optimize")?;
    Ok(Request::rehearse_restore(&RepositoryName::parse(repository)?, &part()?, &exact(&own, index)?, &own))
}

fn part() -> Result<SnapshotName, BoxError> {
    Ok(SnapshotName::parse(PART).ok_or("no name of a part")?)
}

fn exact(prefix: &IndexPrefix, index: &str) -> Result<ExactIndices, BoxError> {
    Ok(ExactIndices::new(prefix, vec![index.to_owned()]).ok_or("no exact name")?)
}
