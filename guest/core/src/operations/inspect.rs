use std::cmp::Reverse;

use crate::listing::{Listing, by_backup, in_full};
use crate::operations::fetch;
use crate::owner::Owner;
use crate::refusal::document;
use crate::{
    Backup, BackupId, Cluster, Context, Engine, Error, ListQuery, PageLimit, Request, Snapshot, SnapshotState,
};

/// Backups of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupList {
    /// Largest ID first.
    pub backups: Vec<Backup>,
    /// How many snapshots are left out: their names match but are not of backups, or they are another installation's.
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

/// Reads backups of this installation: all of them with one list of snapshots, a page or a list without metadata with a
/// list of their names first.
///
/// Names do not tell whose a backup is: one that is listed without its metadata can be another installation's.
///
/// # Errors
/// Why the list could not be read.
pub fn list(engine: &impl Engine, context: &Context, query: &ListQuery) -> Result<BackupList, Error> {
    if matches!(query, ListQuery { before: None, limit: None, verbose: true, .. }) {
        let Listing { snapshots, foreign, .. } = Listing::of_all(engine, context.repository()?, query.pattern)?;
        let Own { backups, others } = assess(engine, context, snapshots)?;
        return Ok(BackupList { backups, foreign: foreign + others, next: None });
    }
    let Listing { snapshots, foreign, .. } = Listing::names_of_all(engine, context.repository()?, query.pattern)?;
    let mut matching = by_backup(snapshots).filter(|(id, _)| query.matches(*id));
    let page: Vec<_> = matching.by_ref().take(query.limit.map_or(usize::MAX, PageLimit::get)).collect();
    let next = page.last().map(|(id, _)| *id).filter(|_| matching.next().is_some());
    let (complete, others): (Vec<_>, Vec<_>) =
        page.into_iter().partition(|(_, snapshots)| !query.verbose && is_complete_by_name(snapshots));
    let others = others.into_iter().flat_map(|(_, snapshots)| snapshots).collect();
    let others = in_full(engine, context.repository()?, query.pattern, others)?;
    let Own { mut backups, others } = assess(engine, context, others)?;
    backups.extend(complete.into_iter().map(|(id, snapshots)| Backup::assess(id, snapshots, None, context)));
    backups.sort_unstable_by_key(|backup| Reverse(backup.id));
    Ok(BackupList { backups, foreign: foreign + others, next })
}

/// Whether the snapshots are both parts of a backup, and successful; whether they can be read is only in their metadata.
fn is_complete_by_name(snapshots: &[Snapshot]) -> bool {
    let [one, other] = snapshots else { return false };
    one.name.part != other.name.part
        && one.name.version == other.name.version
        && snapshots.iter().all(|snapshot| snapshot.state == SnapshotState::Success)
}

/// The backups of this installation.
#[derive(Default)]
struct Own {
    backups: Vec<Backup>,
    /// How many snapshots are another installation's.
    others: usize,
}

fn assess(engine: &impl Engine, context: &Context, snapshots: Vec<Snapshot>) -> Result<Own, Error> {
    let mut own = Own::default();
    if snapshots.is_empty() {
        return Ok(own);
    }
    let cluster = cluster(engine, context)?;
    for (id, snapshots) in by_backup(snapshots) {
        match Owner::of(&snapshots, &context.settings.index_prefix) {
            Owner::Another(_) => own.others += snapshots.len(),
            Owner::This | Owner::Both(_) => own.backups.push(Backup::assess(id, snapshots, Some(&cluster), context)),
        }
    }
    Ok(own)
}

/// The snapshots of a backup; it is an error if there are none, or if they are another installation's.
pub(super) fn existing(listing: Listing, context: &Context, id: BackupId) -> Result<Vec<Snapshot>, Error> {
    let snapshots = listing.only(id);
    match Owner::of(&snapshots, &context.settings.index_prefix) {
        Owner::Another(prefix) => Err(Error::not_found(id, context.repository()?, Some(prefix))),
        Owner::This | Owner::Both(_) if snapshots.is_empty() => Err(Error::not_found(id, context.repository()?, None)),
        Owner::This | Owner::Both(_) => Ok(snapshots),
    }
}

fn cluster(engine: &impl Engine, context: &Context) -> Result<Cluster, Error> {
    let request = Request::node_versions();
    let nodes = document(&request, &fetch(engine, context, &request)?)?;
    Cluster::new(context.settings.engine, nodes).ok_or_else(|| Error::EngineAnswerInvalid {
        request: request.to_string(),
        reason: "it tells no version, or none that is understood, of the cluster's nodes".to_owned(),
    })
}
