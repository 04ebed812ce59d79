//! No policy's word is taken for whose an index is: where a prefix begins another one, names do not tell.

use backup_core::{IndexPrefix, Installation, Request};

use super::refused;
use crate::policy::Policies;
use crate::sandbox::CallError;
use crate::sandbox::restores::RestoreRun;
use crate::sandbox::types::{Error, Problem};

/// A policy plans to restore indices of another installation.
pub(crate) const FOREIGN_INDICES: &str = "restoreOfForeignIndices";

pub(super) async fn expect_own(policies: &Policies, run: &RestoreRun) -> Result<(), CallError> {
    let Ok(prefix) = IndexPrefix::parse(policies.index_prefix()) else { return Ok(()) };
    if run.rename_prefix.is_some() {
        // Nothing that exists is touched.
        return Ok(());
    }
    let response = policies.read_once(Request::resolve(&prefix)).await;
    let installation = Installation::read(&prefix, response.as_ref().map_err(Clone::clone)).map_err(|error| {
        let problem = Problem { code: error.code().to_owned(), message: error.to_string(), detail: error.detail() };
        CallError::Refused(Error::new(error.kind(), problem))
    })?;
    let neighbours = installation.neighbours();
    let is_foreign = |index: &str| {
        neighbours.iter().any(|other| index.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('-')))
    };
    let foreign: Vec<&str> =
        run.indices.iter().map(|index| index.target.as_str()).filter(|index| is_foreign(index)).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the policy plans to replace indices of another installation ({}), which is refused: use another policy",
        foreign.join(", ")
    );
    Err(refused(FOREIGN_INDICES, message))
}
