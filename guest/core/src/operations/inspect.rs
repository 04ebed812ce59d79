use std::cmp::Reverse;

use crate::listing::{Listing, by_backup, in_full};
use crate::operations::fetch;
use crate::refusal::document;
use crate::{
    Backup, BackupId, Cluster, Context, Engine, Error, ListQuery, PageLimit, Request, Snapshot, SnapshotState,
};

/// Backups of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupList {
    /// Largest ID first.
    pub backups: Vec<Backup>,
    /// How many snapshots have names that match, but are not of backups.
    pub foreign: usize,
    /// The [`ListQuery::before`] of the next page. `None`: there is none.
    pub next: Option<BackupId>,
}

/// Reads one backup.
///
/// # Errors
/// [`Error::BackupNotFound`], or why it could not be read.
pub fn get(engine: &impl Engine, context: &Context, id: &str) -> Result<Backup, Error> {
    let id = BackupId::parse(id)?;
    let snapshots = existing(Listing::of_backup(engine, context.repository()?, id)?, context, id)?;
    let cluster = cluster(engine, context)?;
    Ok(Backup::assess(id, snapshots, Some(&cluster), context))
}

/// Reads backups: all of them with one list of snapshots, a page or a list without metadata with a list of their names first.
///
/// # Errors
/// Why the list could not be read.
pub fn list(engine: &impl Engine, context: &Context, query: &ListQuery) -> Result<BackupList, Error> {
    if matches!(query, ListQuery { before: None, limit: None, verbose: true, .. }) {
        let Listing { snapshots, foreign, .. } = Listing::of_all(engine, context.repository()?, query.pattern)?;
        return Ok(BackupList { backups: assess(engine, context, snapshots)?, foreign, next: None });
    }
    let Listing { snapshots, foreign, .. } = Listing::names_of_all(engine, context.repository()?, query.pattern)?;
    let mut matching = by_backup(snapshots).filter(|(id, _)| query.matches(*id));
    let page: Vec<_> = matching.by_ref().take(query.limit.map_or(usize::MAX, PageLimit::get)).collect();
    let next = page.last().map(|(id, _)| *id).filter(|_| matching.next().is_some());
    let (complete, others): (Vec<_>, Vec<_>) =
        page.into_iter().partition(|(_, snapshots)| !query.verbose && is_complete_by_name(snapshots));
    let others = others.into_iter().flat_map(|(_, snapshots)| snapshots).collect();
    let others = in_full(engine, context.repository()?, query.pattern, others)?;
    let mut backups = assess(engine, context, others)?;
    backups.extend(complete.into_iter().map(|(id, snapshots)| Backup::assess(id, snapshots, None, context)));
    backups.sort_unstable_by_key(|backup| Reverse(backup.id));
    Ok(BackupList { backups, foreign, next })
}

/// Whether the snapshots are both parts of a backup, and successful; whether they can be read is only in their metadata.
fn is_complete_by_name(snapshots: &[Snapshot]) -> bool {
    let [one, other] = snapshots else { return false };
    one.name.part != other.name.part
        && one.name.version == other.name.version
        && snapshots.iter().all(|snapshot| snapshot.state == SnapshotState::Success)
}

fn assess(engine: &impl Engine, context: &Context, snapshots: Vec<Snapshot>) -> Result<Vec<Backup>, Error> {
    if snapshots.is_empty() {
        return Ok(Vec::new());
    }
    let cluster = cluster(engine, context)?;
    Ok(by_backup(snapshots).map(|(id, snapshots)| Backup::assess(id, snapshots, Some(&cluster), context)).collect())
}

/// The snapshots of a backup; it is an error if there are none.
pub(super) fn existing(listing: Listing, context: &Context, id: BackupId) -> Result<Vec<Snapshot>, Error> {
    let snapshots = listing.only(id);
    if snapshots.is_empty() {
        return Err(Error::BackupNotFound { id, repository: context.repository()?.clone() });
    }
    Ok(snapshots)
}

fn cluster(engine: &impl Engine, context: &Context) -> Result<Cluster, Error> {
    let request = Request::node_versions();
    let nodes = document(&request, &fetch(engine, context, &request)?)?;
    Cluster::new(context.settings.engine, nodes).ok_or_else(|| Error::EngineAnswerInvalid {
        request: request.to_string(),
        reason: "it tells no version, or none that is understood, of the cluster's nodes".to_owned(),
    })
}
