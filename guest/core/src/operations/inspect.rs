use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::backup::explain_unreadable;
use crate::listing::{Listing, by_backup, in_full};
use crate::operations::identify::identified;
use crate::operations::{ask_clock_for, fetch};
use crate::owner::Owner;
use crate::refusal::document;
use crate::run::awaiting_part_one;
use crate::{
    Backup, BackupId, Cluster, Context, Engine, Error, ListQuery, PageLimit, RepositoryName, Request, Snapshot,
    SnapshotState,
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
    read(engine, context, BackupId::parse(id)?)
}

pub(super) fn read(engine: &impl Engine, context: &Context, id: BackupId) -> Result<Backup, Error> {
    let repository = context.repository()?;
    let listing = Listing::of_backup(engine, repository, id)?;
    if is_dropped(&listing, context, id) {
        return Ok(Backup::dropped(id, repository));
    }
    let snapshots = existing(engine, listing, context, id)?;
    let cluster = cluster(engine, context)?;
    let mut context = Cow::Borrowed(context);
    ask_clock_for(engine, &mut context, &snapshots)?;
    let mut backup = Backup::assess(id, snapshots, Some(&cluster), &context);
    explain_unreadable(std::slice::from_mut(&mut backup));
    Ok(backup)
}

/// Reads backups of this installation: all of them with one list of snapshots, a page or a list without metadata with a
/// list of their names first.
///
/// Names do not tell whose a backup is: one that is listed without its metadata can be another installation's.
///
/// # Errors
/// Why the list could not be read.
pub fn list(engine: &impl Engine, context: &Context, query: &ListQuery) -> Result<BackupList, Error> {
    let repository = context.repository()?;
    if matches!(query, ListQuery { before: None, limit: None, verbose: true, .. }) {
        let Listing { snapshots, foreign, .. } = Listing::of_all(engine, repository, query.pattern)?;
        let dropped = Dropped::new(context, query, &snapshots);
        let Own { backups, others } = assess(engine, context, snapshots)?;
        let list = BackupList { backups, foreign: foreign + others, next: None };
        return Ok(dropped.added_to(list, query.limit, repository));
    }
    let Listing { snapshots, foreign, .. } = Listing::names_of_all(engine, repository, query.pattern)?;
    let dropped = Dropped::new(context, query, &snapshots);
    let mut matching = by_backup(snapshots).filter(|(id, _)| query.matches(*id));
    let page: Vec<_> = matching.by_ref().take(query.limit.map_or(usize::MAX, PageLimit::get)).collect();
    let next = page.last().map(|(id, _)| *id).filter(|_| matching.next().is_some());
    let (complete, others): (Vec<_>, Vec<_>) =
        page.into_iter().partition(|(_, snapshots)| !query.verbose && is_complete_by_name(snapshots));
    let others = others.into_iter().flat_map(|(_, snapshots)| snapshots).collect();
    let others = in_full(engine, repository, query.pattern, others)?;
    let Own { mut backups, others } = assess(engine, context, others)?;
    backups.extend(complete.into_iter().map(|(id, snapshots)| Backup::assess(id, snapshots, None, context)));
    backups.sort_unstable_by_key(|backup| Reverse(backup.id));
    Ok(dropped.added_to(BackupList { backups, foreign: foreign + others, next }, query.limit, repository))
}

/// The backups of which the engine accepted part 1 and has no trace.
struct Dropped(Vec<BackupId>);

impl Dropped {
    /// Those of a list that are not among the snapshots.
    fn new(context: &Context, query: &ListQuery, snapshots: &[Snapshot]) -> Self {
        let mut awaiting: BTreeSet<BackupId> = awaiting_part_one(context).filter(|&id| query.matches(id)).collect();
        if !awaiting.is_empty() {
            for snapshot in snapshots {
                awaiting.remove(&snapshot.name.backup_id);
            }
        }
        Self(awaiting.into_iter().collect())
    }

    /// A page stays within its limit: what it has no place for begins the next one.
    fn added_to(self, mut list: BackupList, limit: Option<PageLimit>, repository: &RepositoryName) -> BackupList {
        let of_this_page = self.0.into_iter().filter(|id| list.next.is_none_or(|next| *id > next));
        list.backups.extend(of_this_page.map(|id| Backup::dropped(id, repository)));
        list.backups.sort_unstable_by_key(|backup| Reverse(backup.id));
        if let Some(limit) = limit.map(PageLimit::get).filter(|&limit| list.backups.len() > limit) {
            list.backups.truncate(limit);
            list.next = list.backups.last().map(|backup| backup.id);
        }
        list
    }
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
    let mut context = Cow::Borrowed(context);
    for (id, snapshots) in by_backup(snapshots) {
        if let Owner::Another(_) = Owner::of(&snapshots, &context.settings.index_prefix) {
            own.others += snapshots.len();
            continue;
        }
        ask_clock_for(engine, &mut context, &snapshots)?;
        own.backups.push(Backup::assess(id, snapshots, Some(&cluster), &context));
    }
    explain_unreadable(&mut own.backups);
    Ok(own)
}

/// Whether the engine has no trace of a backup whose part 1 it accepted.
pub(super) fn is_dropped(listing: &Listing, context: &Context, id: BackupId) -> bool {
    listing.snapshots.is_empty() && awaiting_part_one(context).any(|awaiting| awaiting == id)
}

/// The snapshots of a backup; it is an error if there are none, or if they are another installation's.
pub(super) fn existing(
    engine: &impl Engine,
    listing: Listing,
    context: &Context,
    id: BackupId,
) -> Result<Vec<Snapshot>, Error> {
    let snapshots = identified(engine, context, id, listing.only(id))?;
    match Owner::of(&snapshots, &context.settings.index_prefix) {
        Owner::Another(prefix) => Err(Error::not_found(id, context.repository()?, Some(prefix))),
        Owner::This | Owner::Both(_) if snapshots.is_empty() => Err(Error::not_found(id, context.repository()?, None)),
        Owner::This | Owner::Both(_) => Ok(snapshots),
    }
}

pub(super) fn cluster(engine: &impl Engine, context: &Context) -> Result<Cluster, Error> {
    let request = Request::node_versions();
    let nodes = document(&request, &fetch(engine, context, &request)?)?;
    Cluster::new(context.settings.engine, nodes).ok_or_else(|| Error::EngineAnswerInvalid {
        request: request.to_string(),
        reason: "it tells no version, or none that is understood, of the cluster's nodes".to_owned(),
    })
}
