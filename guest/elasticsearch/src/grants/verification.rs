//! What the calls of a verification may write.
//!
//! | request | for | granted to |
//! |---|---|---|
//! | `PUT /optimize-backup-verify-lock` | the lock, with its holder | `Verify` |
//! | `PUT /optimize-backup-verify-lock/_settings` | its holder | `Verify` |
//! | `POST …/camunda_optimize_{id}_…/_restore` | copies of the installation's indices, by exact names, without aliases, replicas, global state and features | `Verify` |
//! | `DELETE /{indices}` | what verifications have made, by exact names | `Verify`, `ClearVerification` |

use backup_core::restore::{MARK, RenamePattern};
use backup_core::verification::HOLDER;
use backup_core::verification::scratch::{LOCK, SCRATCH};
use backup_core::{BackupId, IndexPrefix, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::denial::{Denial, excerpt};
use super::restore::{Restore, is_mark, read, require, written};
use super::scope::{Scope, backup_of};
use super::{Grant, names};

/// Checks the body of a write, and writes it from the fields that were checked.
pub(super) fn checked_body(
    grant: Grant,
    request: &Request,
    scope: &Scope,
    own: &IndexPrefix,
) -> Result<Option<String>, Denial> {
    match (scope, grant, request.body.as_deref()) {
        (_, Grant::DeleteIndices, None) => Ok(None),
        (Scope::Verify(_), Grant::CreateIndex, Some(body)) => checked_lock(body).map(Some),
        (Scope::Verify(_), Grant::MarkIndices, Some(body)) => checked_holder(body).map(Some),
        (Scope::Verify(id), Grant::RestoreSnapshot, Some(body)) => checked_copies(body, *id, own).map(Some),
        (Scope::Verify(_), Grant::CreateIndex | Grant::MarkIndices | Grant::RestoreSnapshot, None) => {
            Err(Denial::MissingBody)
        }
        (_, Grant::DeleteIndices, Some(_)) => Err(Denial::UnexpectedBody),
        // No call of a verification has it, so that nothing is sent.
        _ => Ok(None),
    }
}

/// Whether a call of a verification may send a request, by what its path names.
pub(super) fn covers(scope: &Scope, grant: Grant, request: &Request) -> bool {
    let first = request.path.first().map(String::as_str).unwrap_or_default();
    match (scope, grant) {
        (Scope::Verify(_) | Scope::ClearVerification, Grant::DeleteIndices) => first.split(',').all(is_scratch),
        (Scope::Verify(_), Grant::CreateIndex | Grant::MarkIndices) => first == LOCK,
        (Scope::Verify(id), Grant::RestoreSnapshot) => {
            request.path.get(2).and_then(|name| backup_of(name)) == Some(*id)
        }
        _ => false,
    }
}

/// Whether this is the exact name of something that a verification has made.
fn is_scratch(name: &str) -> bool {
    names::check_index(name, &IndexPrefix::of_verifications()).is_ok()
}

/// Whether this is the exact name of a copy of an index of the installation.
pub(super) fn is_copy(name: &str, id: BackupId, own: &IndexPrefix) -> bool {
    let index = name.strip_prefix(SCRATCH).and_then(|rest| rest.strip_prefix(&format!("{id}-")));
    index.is_some_and(|index| names::check_index(index, own).is_ok()) && is_scratch(name)
}

fn checked_lock(body: &str) -> Result<String, Denial> {
    let new: NewIndex = read(body)?;
    let is_granted = |(name, value): (&String, &Value)| match name.as_str() {
        HOLDER => is_mark(value),
        "index.number_of_shards" => *value == "1",
        "index.number_of_replicas" => *value == "0",
        _ => false,
    };
    require(new.settings.len() == 3 && new.settings.iter().all(is_granted), "settings", "one shard and a holder")?;
    written(&new)
}

fn checked_holder(body: &str) -> Result<String, Denial> {
    let settings: Map<String, Value> = read(body)?;
    let is_granted = |(name, value): (&String, &Value)| name == HOLDER && is_mark(value);
    require(settings.len() == 1 && settings.iter().all(is_granted), "settings", HOLDER)?;
    written(&settings)
}

fn checked_copies(body: &str, id: BackupId, own: &IndexPrefix) -> Result<String, Denial> {
    let restore: Restore = read(body)?;
    restore.check()?;
    require(!restore.include_aliases, "include_aliases", "`false`")?;
    let is_granted = |(name, value): (&String, &Value)| match name.as_str() {
        MARK | HOLDER => is_mark(value),
        "index.number_of_replicas" => *value == "0",
        "index.auto_expand_replicas" => *value == "false",
        _ => false,
    };
    require(restore.index_settings.iter().all(is_granted), "index_settings", "those of a copy")?;
    let rename = RenamePattern::to_copies(own, id, &restore.indices);
    let is_expected =
        restore.rename_pattern == Some(rename.pattern()) && restore.rename_replacement == Some(rename.replacement());
    require(is_expected, "rename_pattern", "that of the copies of this backup")?;
    for index in &restore.indices {
        names::check_index(index, own)?;
        if index.starts_with(['-', '+', '_']) {
            return Err(Denial::Index { found: excerpt(index), prefix: own.to_string() });
        }
    }
    written(&restore)
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NewIndex {
    settings: Map<String, Value>,
}
