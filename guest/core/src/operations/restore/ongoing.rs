//! Restores that have not ended, whoever drives them: the marks on the installation's indices tell.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::listing::Listing;
use crate::operations::send;
use crate::refusal::{document, success};
use crate::restore::{MARK, Mark};
use crate::verification::scratch::is_scratch;
use crate::{BackupId, Context, Engine, Error, IdPattern, Installation, Request, Snapshot};

/// The backups that are being restored in this installation.
///
/// # Errors
/// Why it is not known.
pub fn ongoing(engine: &impl Engine, context: &Context) -> Result<BTreeSet<BackupId>, Error> {
    let marks = marks(engine, context)?;
    if marks.is_empty() {
        return Ok(BTreeSet::new());
    }
    let listing = Listing::names_of_all(engine, context.repository()?, IdPattern::All)?;
    let is_restored = |snapshot: &&Snapshot| is_source_of(snapshot, &marks);
    Ok(listing.snapshots.iter().filter(is_restored).map(|snapshot| snapshot.name.backup_id).collect())
}

/// No backup is made of half a restore.
///
/// # Errors
/// [`Error::RestoreInProgress`]
pub(in crate::operations) fn expect_none_in(
    engine: &impl Engine,
    context: &Context,
    installation: &Installation,
) -> Result<(), Error> {
    let marks = marks(engine, context)?;
    match marks.keys().find(|name| installation.owns(name)) {
        Some(index) => Err(Error::RestoreInProgress { id: None, index: index.clone() }),
        None => Ok(()),
    }
}

/// A backup that is being restored is not deleted.
///
/// # Errors
/// [`Error::RestoreInProgress`]
pub(in crate::operations) fn expect_none_of(
    engine: &impl Engine,
    context: &Context,
    id: BackupId,
    snapshots: &[Snapshot],
) -> Result<(), Error> {
    let marks = marks(engine, context)?;
    let is_of = |mark: &Mark| snapshots.iter().any(|snapshot| snapshot.uuid.as_deref() == Some(mark.uuid()));
    match marks.into_iter().find(|(_, mark)| is_of(mark)) {
        Some((index, _)) => Err(Error::RestoreInProgress { id: Some(id), index }),
        None => Ok(()),
    }
}

fn is_source_of(snapshot: &Snapshot, marks: &BTreeMap<String, Mark>) -> bool {
    marks.values().any(|mark| snapshot.uuid.as_deref() == Some(mark.uuid()))
}

/// The marks of unfinished restores under the prefix, of nested installations, too. A user who may make backups need not be
/// allowed to read them: then there are none.
fn marks(engine: &impl Engine, context: &Context) -> Result<BTreeMap<String, Mark>, Error> {
    let request = Request::restore_marks(&context.settings.index_prefix);
    let response = match send(engine, &request) {
        Err(Error::Denied { .. }) => return Ok(BTreeMap::new()),
        response => response?,
    };
    let body = match success(&response) {
        Ok(body) => body,
        Err(refusal) if matches!(refusal.status, 400 | 403 | 404 | 405) => return Ok(BTreeMap::new()),
        Err(refusal) => return Err(Error::refused(&request, refusal, context.repository()?)),
    };
    let found: BTreeMap<String, RawIndex> = document(&request, body)?;
    let mark = |index: RawIndex| index.settings.get(MARK).and_then(Value::as_str).map(Mark::parse);
    // The copies of a verification are none of the installation's.
    let own = found.into_iter().filter(|(name, _)| !is_scratch(name));
    let marked = own.filter_map(|(name, index)| Some((name, mark(index)?)));
    Ok(marked.filter(|(_, mark)| mark.is_unfinished()).collect())
}

#[derive(Deserialize)]
struct RawIndex {
    #[serde(default)]
    settings: BTreeMap<String, Value>,
}
