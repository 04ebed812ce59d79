use std::fmt;
use std::sync::Arc;

use backup_core::restore::RestoreRun;
use backup_core::{BackupId, IndexPrefix, Method, NAME_PREFIX, Request};

use super::denial::{Denial, excerpt};
use super::{Grant, RestoreScope, verification};

/// The policy's call that a request belongs to, and its backup: they decide what it may write.
///
/// | call | scope | may write |
/// |---|---|---|
/// | `get`, `list`, what a host reads itself | `Read` | nothing |
/// | `create` | `Create(id)` | PUT of names that start with `camunda_optimize_{id}_` |
/// | `advance` | `Advance(id)` | the same |
/// | `delete` | `Delete(id)` | DELETE of names that start with `camunda_optimize_{id}_` |
/// | `plan` and `get` of a restore under another prefix | `ReadOther(prefix)` | nothing, and reads of that prefix's indices, too |
/// | `advance` of a restore | `Restore(restore)` | what [`RestoreScope`] says |
/// | `traces` of verifications | `ReadVerification` | nothing, and reads of what verifications have made, too |
/// | `begin` and `advance` of a verification | `Verify(id)` | the lock, copies of that backup's indices, and their deletion |
/// | `clear` of verifications | `ClearVerification` | the deletion of what verifications have made |
///
/// A host creates one for each call, before it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `get`, `list`, and a host's own reads.
    Read,
    /// `create`, which writes part 1 of a new backup.
    Create(BackupId),
    /// `advance`, which writes part 2.
    Advance(BackupId),
    /// `delete`.
    Delete(BackupId),
    /// `plan` and `get` of a restore under another prefix.
    ReadOther(IndexPrefix),
    /// `advance` of a restore.
    Restore(Arc<RestoreScope>),
    /// `traces` of verifications.
    ReadVerification,
    /// `begin` and `advance` of a verification.
    Verify(BackupId),
    /// `clear` of verifications.
    ClearVerification,
}

impl Scope {
    /// For a call of `create` with the ID as the caller wrote it.
    ///
    /// If the text is not a [`BackupId`], nothing is granted to be written: a policy refuses it.
    #[must_use]
    pub fn of_create(id: &str) -> Self {
        BackupId::parse(id).map_or(Self::Read, Self::Create)
    }

    /// For a call of `advance`; see [`Scope::of_create`].
    #[must_use]
    pub fn of_advance(id: u64) -> Self {
        BackupId::new(id).map_or(Self::Read, Self::Advance)
    }

    /// For a call of `delete` with the ID as the caller wrote it; see [`Scope::of_create`].
    #[must_use]
    pub fn of_delete(id: &str) -> Self {
        BackupId::parse(id).map_or(Self::Read, Self::Delete)
    }

    /// For a call of `advance` of a restore. If the run is not one of this installation, nothing is granted to be written.
    #[must_use]
    pub fn of_restore(run: &RestoreRun, own: &IndexPrefix) -> Self {
        RestoreScope::new(run, own).map_or(Self::Read, |restore| Self::Restore(Arc::new(restore)))
    }

    /// For a call of `plan` and `get` of a restore.
    #[must_use]
    pub fn of_restore_read(rename_prefix: Option<&IndexPrefix>) -> Self {
        rename_prefix.map_or(Self::Read, |prefix| Self::ReadOther(prefix.clone()))
    }

    /// For a call of `begin` or `advance` of a verification; see [`Scope::of_create`].
    #[must_use]
    pub fn of_verification(id: &str) -> Self {
        BackupId::parse(id).map_or(Self::ReadVerification, Self::Verify)
    }

    /// Whether it is a call of a verification.
    pub(super) fn is_of_verifications(&self) -> bool {
        matches!(self, Self::ReadVerification | Self::Verify(_) | Self::ClearVerification)
    }

    /// The other prefix whose indices are read.
    pub(super) fn other_prefix(&self) -> Option<&IndexPrefix> {
        match self {
            Self::ReadOther(prefix) => Some(prefix),
            Self::Restore(restore) => restore.other_prefix(),
            _ => None,
        }
    }

    /// Checks a request that the grants allow to some call. A write of a backup names snapshots in the last segment of its
    /// path.
    pub(super) fn check(&self, grant: Grant, request: &Request) -> Result<(), Denial> {
        if request.method == Method::Get {
            return Ok(());
        }
        if grant.is_of_indices() {
            return match self {
                Self::Restore(restore) => restore.check(grant, request),
                _ if verification::covers(self, grant, request) => Ok(()),
                _ => Err(Denial::Scope { found: excerpt(&request.to_string()), scope: self.clone() }),
            };
        }
        let names = request.path.last().map(String::as_str).unwrap_or_default();
        match names.split(',').find(|name| !self.covers(request.method, name)) {
            Some(name) => {
                Err(Denial::Scope { found: format!("{} {}", request.method, excerpt(name)), scope: self.clone() })
            }
            None => Ok(()),
        }
    }

    fn covers(&self, method: Method, name: &str) -> bool {
        let written = backup_of(name).map(|id| (method, id));
        written.is_some() && written == self.written()
    }

    /// The granted method besides GET, and the backup for whose snapshots.
    fn written(&self) -> Option<(Method, BackupId)> {
        match self {
            Self::Read
            | Self::ReadOther(_)
            | Self::Restore(_)
            | Self::ReadVerification
            | Self::Verify(_)
            | Self::ClearVerification => None,
            Self::Create(id) | Self::Advance(id) => Some((Method::Put, *id)),
            Self::Delete(id) => Some((Method::Delete, *id)),
        }
    }
}

/// For messages: the call, and what is granted to it.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operation, id) = match self {
            Self::Read | Self::ReadOther(_) | Self::ReadVerification => {
                return f.write_str("a call that only reads: only GET");
            }
            Self::Verify(id) => {
                return write!(
                    f,
                    "a call of a verification of backup {id}: only GET, the lock, restores of copies from `{NAME_PREFIX}{id}_…`, and DELETE of what verifications have made"
                );
            }
            Self::ClearVerification => {
                return f.write_str("a call that clears verifications: only GET, and DELETE of what they have made");
            }
            Self::Restore(restore) => return restore.fmt(f),
            Self::Create(id) => ("create", id),
            Self::Advance(id) => ("advance", id),
            Self::Delete(id) => ("delete", id),
        };
        let method = if matches!(self, Self::Delete(_)) { Method::Delete } else { Method::Put };
        write!(f, "a call of {operation} for backup {id}: only GET, and {method} of `{NAME_PREFIX}{id}_…`")
    }
}

/// The backup that a snapshot belongs to by its name, whatever a policy writes after the ID.
pub(super) fn backup_of(name: &str) -> Option<BackupId> {
    let (id, _) = name.strip_prefix(NAME_PREFIX)?.split_once('_')?;
    BackupId::parse(id).ok()
}
