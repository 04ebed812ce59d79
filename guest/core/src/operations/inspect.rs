use crate::listing::Listing;
use crate::operations::fetch;
use crate::owner::Owner;
use crate::refusal::document;
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
    let snapshots = existing(Listing::of_backup(engine, context.repository()?, id)?, context, id)?;
    let cluster = cluster(engine, context)?;
    Ok(Backup::assess(id, snapshots, Some(&cluster), context))
}

/// Reads every backup of this installation.
///
/// # Errors
/// Why the list could not be read.
pub fn list(engine: &impl Engine, context: &Context) -> Result<BackupList, Error> {
    let listing = Listing::of_all(engine, context.repository()?)?;
    let mut foreign = listing.foreign;
    if listing.snapshots.is_empty() {
        return Ok(BackupList { backups: Vec::new(), foreign });
    }
    let cluster = cluster(engine, context)?;
    let mut backups = Vec::new();
    for (id, snapshots) in listing.by_backup() {
        match Owner::of(&snapshots, &context.settings.index_prefix) {
            Owner::Another(_) => foreign += snapshots.len(),
            Owner::This | Owner::Both(_) => backups.push(Backup::assess(id, snapshots, Some(&cluster), context)),
        }
    }
    Ok(BackupList { backups, foreign })
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
