//! What a verification asks.

use backup_core::restore::{ExactIndices, RenamePattern};
use backup_core::{BackupId, IndexPrefix, RepositoryName, Request, SnapshotName};

use super::{BoxError, Questions, question};
use crate::Preparation::{Copied, Locked, Snapshot};
use crate::{COPIED_INDEX, read};

/// A name of a backup's part: others are refused by the type.
const PART: &str = "camunda_optimize_1_8.6.0_part_1_of_2";

pub(super) fn questions() -> Questions {
    let one = [Snapshot(PART)];
    let copied = [Snapshot(PART), Copied(PART)];
    let (own, scratch) = (IndexPrefix::parse("optimize")?, IndexPrefix::of_verifications());
    Ok(vec![
        question("lock", &[], take_lock(), read::acknowledged),
        question("lock_that_is_taken", &[Locked], take_lock(), read::whole),
        question("count_lock_up", &[Locked], Request::hold_lock("1.run.1"), read::whole),
        question("count_missing_lock_up", &[], Request::hold_lock("1.run.1"), read::whole),
        question("settings_of_lock", &[Locked], Request::index_settings(&scratch), read::settings),
        question("settings_of_no_lock", &[], Request::index_settings(&scratch), read::settings),
        question("release_lock", &[Locked], Request::release_lock(), read::whole),
        question("release_missing_lock", &[], Request::release_lock(), read::whole),
        question("copy", &one, copy("copy", PART)?, read::whole),
        question("copy_twice", &copied, copy("copy_twice", PART)?, read::whole),
        question("copy_of_none", &[], copy("copy_of_none", PART)?, read::whole),
        question("settings_of_copy", &copied, Request::index_settings(&scratch), read::settings),
        question("recoveries_of_copy", &copied, Request::recoveries(&scratch), read::recoveries),
        question("documents", &[], Request::documents(&own), read::documents),
        question("documents_of_copy", &copied, Request::documents(&scratch), read::documents),
        question("documents_of_none", &[], Request::documents(&scratch), read::documents),
        question("version_in_copy", &copied, Request::copied_version(COPIED_INDEX), read::document),
        question("version_in_missing_copy", &[], Request::copied_version(COPIED_INDEX), read::document),
    ])
}

/// Takes the lock, as the verification of a backup does.
#[must_use]
pub fn take_lock() -> Request {
    Request::take_lock("1.run.0")
}

/// Restores a copy of the index of a snapshot, as the verification of a backup does.
///
/// # Errors
/// None: the names are valid.
pub fn copy(repository: &str, snapshot: &str) -> Result<Request, BoxError> {
    let (own, name) = (IndexPrefix::parse("optimize")?, SnapshotName::parse(snapshot).ok_or("no name of a part")?);
    let names = vec!["optimize-alert_v4".to_owned()];
    let rename = RenamePattern::to_copies(&own, BackupId::parse("1")?, &names);
    let indices = ExactIndices::new(&own, names).ok_or("no exact name")?;
    Ok(Request::copy_indices(&RepositoryName::parse(repository)?, &name, &indices, &rename, "u", "1.run"))
}
