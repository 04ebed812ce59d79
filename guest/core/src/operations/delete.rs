use std::collections::BTreeSet;

use crate::answer::success;
use crate::listing::Listing;
use crate::{BackupId, Context, Engine, Error, Request, Snapshot};

/// The outcome of a delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The snapshots that it concerns.
    pub snapshots: Vec<String>,
    /// The runs that wrote them.
    pub runs: Vec<String>,
    /// The engine is still at it.
    pub pending: bool,
}

/// How often the list is read anew when somebody else deletes at the same time.
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
    for _ in 1..ATTEMPTS {
        match delete_listed(engine, context, id, only_runs) {
            // One of them went between list and delete, and the engine has deleted none.
            Err(Error::EngineRefused { refusal, .. }) if refusal.is_snapshot_missing() => {}
            outcome => return outcome,
        }
    }
    delete_listed(engine, context, id, only_runs)
}

fn delete_listed(
    engine: &impl Engine,
    context: &Context,
    id: BackupId,
    only_runs: Option<&[String]>,
) -> Result<Deleted, Error> {
    let repository = context.repository()?;
    let mut found = Listing::of_backup(engine, repository, id)?.only(id);
    if let Some(runs) = only_runs {
        found.retain(|snapshot| snapshot.run_id().is_some_and(|run| runs.iter().any(|only| only == run)));
    }
    let snapshots: Vec<String> = found.iter().map(|snapshot| snapshot.name.to_string()).collect();
    let runs: BTreeSet<&str> = found.iter().filter_map(Snapshot::run_id).collect();
    let runs = runs.into_iter().map(str::to_owned).collect();
    if snapshots.is_empty() {
        return Ok(Deleted { snapshots, runs, pending: false });
    }
    let request = Request::delete(repository, &snapshots);
    match engine.submit(&request).map_err(|error| Error::transport(&request, error))? {
        None => Ok(Deleted { snapshots, runs, pending: true }),
        Some(response) => match success(&response) {
            Ok(_) => Ok(Deleted { snapshots, runs, pending: false }),
            Err(refusal) => Err(Error::refused(&request, refusal, repository)),
        },
    }
}
