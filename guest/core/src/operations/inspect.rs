use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::backup::explain_unreadable;
use crate::listing::Listing;
use crate::operations::{ask_clock_for, fetch};
use crate::owner::Owner;
use crate::refusal::document;
use crate::run::awaiting_part_one;
use crate::{Backup, BackupId, Cluster, Context, Engine, Error, Request, Snapshot};

/// The backups of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupList {
    /// Largest ID first.
    pub backups: Vec<Backup>,
    /// How many snapshots are left out: their names are not of backups, or they are another installation's.
    pub foreign: usize,
}

/// Reads one backup.
///
/// # Errors
/// [`Error::BackupNotFound`], or why it could not be read.
pub fn get(engine: &impl Engine, context: &Context, id: &str) -> Result<Backup, Error> {
    let id = BackupId::parse(id)?;
    let repository = context.repository()?;
    let listing = Listing::of_backup(engine, repository, id)?;
    if is_dropped(&listing, context, id) {
        return Ok(Backup::dropped(id, repository));
    }
    let snapshots = existing(listing, context, id)?;
    let cluster = cluster(engine, context)?;
    let mut context = Cow::Borrowed(context);
    ask_clock_for(engine, &mut context, &snapshots)?;
    let mut backup = Backup::assess(id, snapshots, Some(&cluster), &context);
    explain_unreadable(std::slice::from_mut(&mut backup));
    Ok(backup)
}

/// Reads every backup of this installation.
///
/// # Errors
/// Why the list could not be read.
pub fn list(engine: &impl Engine, context: &Context) -> Result<BackupList, Error> {
    let listing = Listing::of_all(engine, context.repository()?)?;
    let repository = context.repository()?;
    let mut dropped: BTreeSet<BackupId> = awaiting_part_one(context).collect();
    let (mut backups, mut foreign) = (Vec::new(), listing.foreign);
    let cluster = if listing.snapshots.is_empty() { None } else { Some(cluster(engine, context)?) };
    let mut context = Cow::Borrowed(context);
    for (id, snapshots) in listing.by_backup() {
        dropped.remove(&id);
        if let Owner::Another(_) = Owner::of(&snapshots, &context.settings.index_prefix) {
            foreign += snapshots.len();
            continue;
        }
        ask_clock_for(engine, &mut context, &snapshots)?;
        backups.push(Backup::assess(id, snapshots, cluster.as_ref(), &context));
    }
    explain_unreadable(&mut backups);
    backups.extend(dropped.into_iter().map(|id| Backup::dropped(id, repository)));
    backups.sort_unstable_by_key(|backup| Reverse(backup.id));
    Ok(BackupList { backups, foreign })
}

/// Whether the engine has no trace of a backup whose part 1 it accepted.
pub(super) fn is_dropped(listing: &Listing, context: &Context, id: BackupId) -> bool {
    listing.snapshots.is_empty() && awaiting_part_one(context).any(|awaiting| awaiting == id)
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
