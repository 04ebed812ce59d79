//! No policy's word is taken for whose an index is: where a prefix begins another one, names do not tell.

use backup_core::restore::FindingCode;
use backup_core::{IndexPrefix, Installation, Request};

use super::refused;
use crate::policy::{OwnReadError, Policies};
use crate::sandbox::CallError;
use crate::sandbox::restores::RestoreRun;
use crate::sandbox::types::{Error, Problem};

/// A policy plans to restore indices of another installation.
pub(crate) const FOREIGN_INDICES: &str = "restoreOfForeignIndices";

/// `overridden`: the findings that are not to stop the restore.
pub(super) async fn expect_own(policies: &Policies, run: &RestoreRun, overridden: &[String]) -> Result<(), CallError> {
    let Ok(prefix) = IndexPrefix::parse(policies.index_prefix()) else { return Ok(()) };
    match &run.rename_prefix {
        Some(other) => expect_apart(policies, other).await,
        None => expect_no_neighbours(policies, &prefix, run, overridden).await,
    }
}

async fn expect_no_neighbours(
    policies: &Policies,
    prefix: &IndexPrefix,
    run: &RestoreRun,
    overridden: &[String],
) -> Result<(), CallError> {
    let response = policies.read_once(Request::resolve(prefix)).await;
    let installation =
        Installation::read(prefix, response.as_ref().map_err(Clone::clone)).map_err(|error| not_read(&error))?;
    let neighbours = installation.neighbours();
    let targets = || run.indices.iter().map(|index| index.target.as_str());
    let doubtful = installation.doubtful(targets());
    let is_allowed = overridden.iter().any(|code| code == FindingCode::AnotherInstallation.as_str());
    let is_foreign = |index: &&str| {
        let is_of = |other: &String| index.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('-'));
        neighbours.iter().any(is_of) || (!is_allowed && doubtful.contains(index))
    };
    let foreign: Vec<&str> = targets().filter(is_foreign).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the policy plans to replace indices of another installation ({}), which is refused: use another policy",
        foreign.join(", ")
    );
    Err(refused(FOREIGN_INDICES, message))
}

/// Nothing that exists is touched, but what is created must not be found by another installation.
async fn expect_apart(policies: &Policies, other: &str) -> Result<(), CallError> {
    let Ok(other) = IndexPrefix::parse(other) else { return Ok(()) };
    let outer = policies.outer_installations(&other).await.map_err(|error| match error {
        OwnReadError::Core(error) => not_read(&error),
        OwnReadError::Settings(reason) => CallError::Internal(reason),
    })?;
    match outer.first() {
        None => Ok(()),
        Some(outer) => Err(refused(
            FOREIGN_INDICES,
            format!(
                "the indices of the prefix '{other}' would be found with those of the installation '{outer}': choose another prefix"
            ),
        )),
    }
}

fn not_read(error: &backup_core::Error) -> CallError {
    let problem = Problem { code: error.code().to_owned(), message: error.to_string(), detail: error.detail() };
    CallError::Refused(Error::new(error.kind(), problem))
}
