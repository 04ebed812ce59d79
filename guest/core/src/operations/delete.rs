use std::collections::BTreeSet;

use serde::de::IgnoredAny;

use crate::answer::{document, success};
use crate::listing::Listing;
use crate::operations::may_have_acted;
use crate::{BackupId, Context, Engine, Error, Refusal, RepositoryName, Request, Snapshot};

/// The outcome of a delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The snapshots that it concerns.
    pub snapshots: Vec<String>,
    /// The runs that wrote them; for one that tells of no run, the engine's uuid of it.
    pub runs: Vec<String>,
    /// The engine is still at it.
    pub pending: bool,
}

/// How often it is tried when somebody else deletes at the same time, or an answer gets lost.
const ATTEMPTS: usize = 3;

/// Deletes every snapshot of a backup, or only what some runs wrote, by the exact names that a list shows.
///
/// # Errors
/// What kept the list from being read, or the engine's refusal.
pub fn delete(
    engine: &impl Engine,
    context: &Context,
    id: &str,
    only_runs: Option<&[String]>,
) -> Result<Deleted, Error> {
    let id = BackupId::parse(id)?;
    // Also of what is gone by the second attempt: another host may be about to add to it.
    let mut runs = BTreeSet::new();
    delete_until_settled(engine, context, id, only_runs, &mut runs, ATTEMPTS)
}

fn delete_until_settled(
    engine: &impl Engine,
    context: &Context,
    id: BackupId,
    only_runs: Option<&[String]>,
    runs: &mut BTreeSet<String>,
    attempts: usize,
) -> Result<Deleted, Error> {
    match delete_listed(engine, context, id, only_runs, runs) {
        Err(fault) if is_unsettled(&fault) && attempts > 1 => {
            match delete_until_settled(engine, context, id, only_runs, runs, attempts - 1) {
                // That there was no time left for another attempt explains less.
                Err(Error::EngineUnreachable(_)) if may_have_acted(&fault) => Err(fault),
                settled => settled,
            }
        }
        settled => settled,
    }
}

/// One of them went between list and delete, and the engine has deleted none; or nobody knows.
fn is_unsettled(error: &Error) -> bool {
    may_have_acted(error) || error.refusal().is_some_and(Refusal::is_snapshot_missing)
}

fn delete_listed(
    engine: &impl Engine,
    context: &Context,
    id: BackupId,
    only_runs: Option<&[String]>,
    runs: &mut BTreeSet<String>,
) -> Result<Deleted, Error> {
    let repository = context.repository()?;
    let mut found = Listing::of_backup(engine, repository, id)?.only(id);
    if let Some(runs) = only_runs {
        found.retain(|snapshot| snapshot.run_or_itself().is_some_and(|run| runs.iter().any(|only| only == run)));
    }
    runs.extend(found.iter().filter_map(Snapshot::run_or_itself).map(str::to_owned));
    let snapshots: Vec<String> = found.iter().map(|snapshot| snapshot.name.to_string()).collect();
    let pending = !snapshots.is_empty() && submit(engine, repository, &snapshots)?;
    Ok(Deleted { snapshots, runs: runs.iter().cloned().collect(), pending })
}

/// Whether the engine is still at it.
fn submit(engine: &impl Engine, repository: &RepositoryName, snapshots: &[String]) -> Result<bool, Error> {
    let request = Request::delete(repository, snapshots);
    match engine.submit(&request).map_err(|error| Error::transport(&request, error))? {
        None => Ok(true),
        Some(response) => match success(&response) {
            Ok(body) => document(&request, body).map(|_: IgnoredAny| false),
            Err(refusal) => Err(Error::refused(&request, refusal, repository)),
        },
    }
}
