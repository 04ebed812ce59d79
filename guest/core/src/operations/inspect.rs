use std::borrow::Cow;
use std::cmp::Reverse;

use crate::backup::explain_unreadable;
use crate::listing::Listing;
use crate::operations::{ask_clock_for, fetch};
use crate::refusal::document;
use crate::run;
use crate::{Backup, BackupId, Cluster, Context, Engine, Error, Request, Snapshot};

/// The backups of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupList {
    /// Largest ID first.
    pub backups: Vec<Backup>,
    /// How many snapshots have names that are not of backups.
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
    if run::dropped(context, id) && listing.snapshots.is_empty() {
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

/// Reads every backup.
///
/// # Errors
/// Why the list could not be read.
pub fn list(engine: &impl Engine, context: &Context) -> Result<BackupList, Error> {
    let listing = Listing::of_all(engine, context.repository()?)?;
    let foreign = listing.foreign;
    let mut backups = assess_all(engine, context, listing)?;
    explain_unreadable(&mut backups);
    add_dropped(&mut backups, context)?;
    Ok(BackupList { backups, foreign })
}

fn assess_all(engine: &impl Engine, context: &Context, listing: Listing) -> Result<Vec<Backup>, Error> {
    if listing.snapshots.is_empty() {
        return Ok(Vec::new());
    }
    let cluster = cluster(engine, context)?;
    let mut context = Cow::Borrowed(context);
    let mut backups = Vec::new();
    for (id, snapshots) in listing.by_backup() {
        ask_clock_for(engine, &mut context, &snapshots)?;
        backups.push(Backup::assess(id, snapshots, Some(&cluster), &context));
    }
    Ok(backups)
}

/// Adds to a list what the engine has no trace of.
fn add_dropped(backups: &mut Vec<Backup>, context: &Context) -> Result<(), Error> {
    let repository = context.repository()?;
    for id in context.notes.iter().map(|note| note.backup_id).filter(|&id| run::dropped(context, id)) {
        if let Err(place) = backups.binary_search_by_key(&Reverse(id), |backup| Reverse(backup.id)) {
            backups.insert(place, Backup::dropped(id, repository));
        }
    }
    Ok(())
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
