use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::listing::Listing;
use crate::operations::restore::expect_none_in;
use crate::operations::{installation, may_have_executed, send, while_indices_vanish};
use crate::refusal::{document, success};
use crate::{
    BackupId, Context, Engine, Error, IndexPrefix, OptimizeVersion, Origin, Part, Refusal, Registration,
    RepositoryName, Request, SnapshotName,
};

/// A backup whose first part the engine has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its first part.
    pub part_one: SnapshotName,
}

/// How often part 1 is submitted when responses get lost. That is safe, because an engine accepts a snapshot name only
/// once.
const MAX_ATTEMPTS: usize = 3;

/// Checks the settings, the repository and the ID, and submits part 1.
///
/// # Errors
/// Nothing was written, except if the last response was lost or not the engine's, such as
/// [`Error::EngineNotAnswering`]: then [`super::get`] shows whether it was.
pub fn create(engine: &impl Engine, context: &Context, id: &str) -> Result<Accepted, Error> {
    let id = BackupId::parse(id)?;
    let repository = context.repository()?;
    expect_writable(engine, repository)?;
    expect_unused(engine, context, id)?;
    let version = optimize_version(engine, context).map_err(|error| explained(engine, context, error))?;
    let name = SnapshotName { backup_id: id, version, part: Part::One };
    submit_with_retries(engine, context, &name, MAX_ATTEMPTS)
}

/// In the middle of a restore there can be no version, or no index at all.
fn explained(engine: &impl Engine, context: &Context, error: Error) -> Error {
    if !matches!(error, Error::OptimizeVersionUnknown { .. } | Error::NothingToSnapshot { .. }) {
        return error;
    }
    let restore = installation(engine, context).and_then(|found| expect_none_in(engine, context, &found));
    match restore {
        Err(restore @ Error::RestoreInProgress { .. }) => restore,
        _ => error,
    }
}

/// Submits part 1 until it is known whether it was accepted, or until there are no attempts left.
fn submit_with_retries(
    engine: &impl Engine,
    context: &Context,
    name: &SnapshotName,
    attempts: usize,
) -> Result<Accepted, Error> {
    let error = match while_indices_vanish(|| submit(engine, context, name)) {
        Err(error) if may_have_executed(&error) => error,
        result => return result,
    };
    match read_back(engine, context, name) {
        Ok(Some(result)) => result,
        Ok(None) if attempts > 1 => match submit_with_retries(engine, context, name, attempts - 1) {
            // The engine may still execute the first attempt: only an existing snapshot is certain.
            Err(later) if !matches!(later, Error::BackupExists { .. }) => Err(error),
            result => result,
        },
        Ok(None) | Err(_) => Err(error),
    }
}

fn submit(engine: &impl Engine, context: &Context, name: &SnapshotName) -> Result<Accepted, Error> {
    let repository = context.repository()?;
    let found = installation(engine, context)?;
    expect_none_in(engine, context, &found)?;
    let selection = found.expect_complete()?;
    let origin = Origin::new(&context.run_id, Part::One, context).recording(engine, context, &found, &selection);
    let put = Request::create(repository, name, &selection, origin);
    let response = send(engine, &put)?;
    match success(&response) {
        // A success without JSON is not the engine's, or was cut off.
        Ok(body) => document(&put, body).map(|_: IgnoredAny| Accepted { part_one: name.clone() }),
        Err(refusal) if refusal.is_name_in_use() => match read_back(engine, context, name) {
            Ok(Some(result)) => result,
            Ok(None) => {
                Err(Error::BackupExists { id: name.backup_id, snapshots: vec![name.to_string()], another: None })
            }
            // It can be our own: the response to an earlier attempt may have got lost.
            Err(error) => Err(Error::EngineNotAnswering {
                request: put.to_string(),
                cause: format!("it is not known who wrote the snapshot that has the name: {error}"),
            }),
        },
        Err(refusal) => Err(Error::refused(&put, refusal, repository)),
    }
}

/// After a lost response: whether the snapshot exists, and whether this call wrote it.
fn read_back(
    engine: &impl Engine,
    context: &Context,
    name: &SnapshotName,
) -> Result<Option<Result<Accepted, Error>>, Error> {
    let snapshots = Listing::of_backup(engine, context.repository()?, name.backup_id)?.only(name.backup_id);
    if snapshots.is_empty() {
        return Ok(None);
    }
    let written = Origin::new(&context.run_id, Part::One, context);
    Ok(Some(if snapshots.iter().any(|found| found.run_id() == Some(&written.run_id)) {
        Ok(Accepted { part_one: name.clone() })
    } else {
        Err(Error::exists(name.backup_id, &snapshots, context))
    }))
}

fn expect_unused(engine: &impl Engine, context: &Context, id: BackupId) -> Result<(), Error> {
    let found = Listing::of_backup(engine, context.repository()?, id)?.only(id);
    if found.is_empty() { Ok(()) } else { Err(Error::exists(id, &found, context)) }
}

fn expect_writable(engine: &impl Engine, repository: &RepositoryName) -> Result<(), Error> {
    let response = engine.send(&Request::repository(repository));
    let registration = Registration::read(repository, response.as_ref().map_err(Clone::clone))?;
    if registration.read_only {
        return Err(Error::RepositoryReadOnly { repository: repository.clone(), refusal: None });
    }
    Ok(())
}

/// The version of Optimize that stands in the names of new snapshots.
///
/// # Errors
/// Why it is not known.
pub fn optimize_version(engine: &impl Engine, context: &Context) -> Result<OptimizeVersion, Error> {
    if let Some(version) = &context.settings.optimize_version {
        return Ok(version.clone());
    }
    let prefix = &context.settings.index_prefix;
    match schema_version(engine, context, prefix)? {
        Ok(version) => Ok(OptimizeVersion::parse(&version)?),
        Err(NoVersion { reason, has_no_index }) => {
            if has_no_index {
                // With a wrong prefix there is nothing at all: then that is what has to be told.
                installation(engine, context)?.select(Part::Two)?;
            }
            Err(Error::OptimizeVersionUnknown { prefix: prefix.clone(), reason })
        }
    }
}

/// Why no version is in Optimize's metadata index.
pub(super) struct NoVersion {
    pub(super) reason: String,
    pub(super) has_no_index: bool,
}

/// The version in Optimize's metadata index.
pub(super) fn schema_version(
    engine: &impl Engine,
    context: &Context,
    prefix: &IndexPrefix,
) -> Result<Result<String, NoVersion>, Error> {
    version_in(engine, context, &Request::optimize_version(prefix))
}

/// The version in the document that a request reads.
pub(super) fn version_in(
    engine: &impl Engine,
    context: &Context,
    request: &Request,
) -> Result<Result<String, NoVersion>, Error> {
    let none = |reason: &str, has_no_index: bool| NoVersion { reason: reason.to_owned(), has_no_index };
    let response = send(engine, request)?;
    match success(&response) {
        Ok(body) => {
            let found: MetadataDocument = document(request, body)?;
            let version = found.source.and_then(|source| source.schema_version);
            Ok(version.ok_or_else(|| none("it has no field schemaVersion", false)))
        }
        Err(refusal) if refusal.is_index_missing() => Ok(Err(none(&refusal.to_string(), true))),
        Err(refusal) if is_document_missing(&refusal, &response.body) => Ok(Err(none("it has no document 1", false))),
        Err(refusal) => Err(Error::refused(request, refusal, context.repository()?)),
    }
}

/// A missing document is a 404 without an error: `{"_index":…,"_id":"1","found":false}`.
fn is_document_missing(refusal: &Refusal, body: &str) -> bool {
    refusal.status == 404
        && serde_json::from_str::<Value>(body).is_ok_and(|body| body.get("found") == Some(&Value::Bool(false)))
}

#[derive(Deserialize)]
struct MetadataDocument {
    #[serde(rename = "_source")]
    source: Option<MetadataSource>,
}

#[derive(Deserialize)]
struct MetadataSource {
    #[serde(rename = "schemaVersion")]
    schema_version: Option<String>,
}
