use std::collections::BTreeSet;

use serde::de::IgnoredAny;

use crate::listing::Listing;
use crate::operations::identify::identified;
use crate::operations::may_have_executed;
use crate::operations::restore::expect_none_of;
use crate::owner::Owner;
use crate::refusal::{document, success};
use crate::{BackupId, Context, Engine, Error, Refusal, RepositoryName, Request, Snapshot};

/// An accepted deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The snapshots that are deleted.
    pub snapshots: Vec<String>,
    /// The runs that wrote them, from their metadata, and their UUIDs.
    pub runs: Vec<String>,
    /// The engine is still deleting them.
    pub pending: bool,
}

/// How often it is submitted when somebody else deletes at the same time, or responses get lost.
const MAX_ATTEMPTS: usize = 3;

/// Deletes every snapshot of a backup, or only those of some runs, by the exact names in a list.
///
/// # Errors
/// [`Error::BackupOfAnotherInstallation`], why the list could not be read, or the engine's refusal.
pub fn delete(
    engine: &impl Engine,
    context: &Context,
    id: &str,
    only_runs: Option<&[String]>,
) -> Result<Deleted, Error> {
    let id = BackupId::parse(id)?;
    // Also those whose snapshots are gone by the second attempt: another host may be about to add to them.
    let mut runs = BTreeSet::new();
    let mut only_runs = only_runs.map(<[String]>::to_vec);
    let mut uncertain = None;
    for _ in 1..MAX_ATTEMPTS {
        match delete_listed(engine, context, id, only_runs.as_deref(), &mut runs) {
            Err(error) if is_uncertain(&error) => {
                // A new backup that somebody has made with that ID meanwhile must stay.
                only_runs = only_runs.or_else(|| (!runs.is_empty()).then(|| runs.iter().cloned().collect()));
                uncertain = Some(error).filter(may_have_executed).or(uncertain);
            }
            result => return result.map_err(|error| or_uncertain(error, uncertain)),
        }
    }
    let result = delete_listed(engine, context, id, only_runs.as_deref(), &mut runs);
    result.map_err(|error| or_uncertain(error, uncertain))
}

/// That there was no time left for another attempt explains less than why there was one.
fn or_uncertain(error: Error, uncertain: Option<Error>) -> Error {
    match (error, uncertain) {
        (Error::EngineUnreachable(_), Some(uncertain)) => uncertain,
        (error, _) => error,
    }
}

/// A snapshot was deleted after it was listed, so that the engine has deleted none; or it is not known what it did.
fn is_uncertain(error: &Error) -> bool {
    may_have_executed(error) || error.refusal().is_some_and(Refusal::is_snapshot_missing)
}

fn delete_listed(
    engine: &impl Engine,
    context: &Context,
    id: BackupId,
    only_runs: Option<&[String]>,
    runs: &mut BTreeSet<String>,
) -> Result<Deleted, Error> {
    let repository = context.repository()?;
    let found = identified(engine, context, id, Listing::of_backup(engine, repository, id)?.only(id))?;
    let found = deletable(found, context, id, only_runs)?;
    runs.extend(found.iter().flat_map(Snapshot::identities).map(str::to_owned));
    let snapshots: Vec<String> = found.iter().map(|snapshot| snapshot.name.to_string()).collect();
    if !found.is_empty() {
        expect_none_of(engine, context, id, &found)?;
    }
    let pending = !snapshots.is_empty() && submit(engine, repository, &snapshots)?;
    Ok(Deleted { snapshots, runs: runs.iter().cloned().collect(), pending })
}

/// What may be deleted of an ID's snapshots: never what is another installation's.
fn deletable(
    mut found: Vec<Snapshot>,
    context: &Context,
    id: BackupId,
    only_runs: Option<&[String]>,
) -> Result<Vec<Snapshot>, Error> {
    let prefix = &context.settings.index_prefix;
    if let Some(runs) = only_runs {
        let is_of_runs = |run: &str| runs.iter().any(|only| only == run);
        found.retain(|snapshot| snapshot.may_be_of(prefix) && snapshot.identities().any(is_of_runs));
        return Ok(found);
    }
    match Owner::of(&found, prefix) {
        Owner::Another(another) => Err(Error::of_another_installation(id, another)),
        Owner::Both(_) => Ok(found.into_iter().filter(|snapshot| snapshot.is_known_of(prefix)).collect()),
        Owner::This => Ok(found),
    }
}

/// Whether the engine is still working on it.
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
