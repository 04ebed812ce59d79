use std::collections::BTreeSet;
use std::fmt;

use backup_core::restore::{MARK, RenamePattern, RestoreRun, WRITE_BLOCK};
use backup_core::{BackupId, IndexPrefix, NAME_PREFIX, Request, json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::denial::{Denial, excerpt};
use super::scope::{Scope, backup_of};
use super::{Grant, names};

/// What a call of `advance` of a restore may write.
///
/// | request | for |
/// |---|---|
/// | `POST …/camunda_optimize_{id}_…/_restore` | indices of the run, by exact names, without global state and features; one of them also under a name that no index can have |
/// | `DELETE /{indices}` | indices of the run by exact names; none if they get another prefix |
/// | `PUT /{indices}/_settings` | the setting by which unfinished restores are recognised, of indices of the run; to take it away also of others under the prefix |
/// | `POST /_aliases` | if they get another prefix: to add aliases under it to indices of the run |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreScope {
    id: BackupId,
    own: IndexPrefix,
    rename: Option<RenamePattern>,
    /// Their names in the backup.
    indices: BTreeSet<String>,
    /// Their names after the restore.
    targets: BTreeSet<String>,
}

impl RestoreScope {
    /// `None` if an index of the run is not one of this installation, or would get a name that is not its own.
    #[must_use]
    pub fn new(run: &RestoreRun, own: &IndexPrefix) -> Option<Self> {
        let rename = match &run.rename_prefix {
            Some(other) => Some(RenamePattern::new(own, other)?),
            None => None,
        };
        for index in &run.indices {
            names::check_index(&index.index, own).ok()?;
            let expected =
                rename.as_ref().map_or_else(|| Some(index.index.clone()), |rename| rename.apply(&index.index));
            if expected.as_ref() != Some(&index.target) || index.index.starts_with(['-', '+', '_']) {
                return None;
            }
        }
        Some(Self {
            id: run.backup_id,
            own: own.clone(),
            rename,
            indices: run.indices.iter().map(|index| index.index.clone()).collect(),
            targets: run.indices.iter().map(|index| index.target.clone()).collect(),
        })
    }

    pub(super) fn other_prefix(&self) -> Option<&IndexPrefix> {
        self.rename.as_ref().map(RenamePattern::prefix)
    }

    /// Checks the body of a request, and writes it from the fields that were checked.
    pub(super) fn checked_body(&self, grant: Grant, request: &Request) -> Result<Option<String>, Denial> {
        match (grant, request.body.as_deref()) {
            (Grant::RestoreSnapshot, Some(body)) => self.checked_restore(body).map(Some),
            (Grant::MarkIndices, Some(body)) => checked_mark(body).map(Some),
            (Grant::AddAliases, Some(body)) => self.checked_aliases(body).map(Some),
            (Grant::DeleteIndices, None) => Ok(None),
            (_, Some(_)) => Err(Denial::UnexpectedBody),
            (_, None) => Err(Denial::MissingBody),
        }
    }

    /// Checks what a request names in its path.
    pub(super) fn check(&self, grant: Grant, request: &Request) -> Result<(), Denial> {
        let first = request.path.first().map(String::as_str).unwrap_or_default();
        let are_targets = || first.split(',').all(|name| self.targets.contains(name));
        let is_covered = match grant {
            Grant::RestoreSnapshot => request.path.get(2).and_then(|name| backup_of(name)) == Some(self.id),
            Grant::DeleteIndices => self.rename.is_none() && are_targets(),
            Grant::MarkIndices => are_targets() || (takes_mark_away(request) && self.are_own(first)),
            Grant::AddAliases => self.rename.is_some(),
            _ => false,
        };
        if is_covered { Ok(()) } else { Err(self.denial(&request.to_string())) }
    }

    /// Indices of this prefix, which the run need not have: another restore can have left its marks there.
    fn are_own(&self, names: &str) -> bool {
        self.rename.is_none() && names.split(',').all(|name| names::check_index(name, &self.own).is_ok())
    }

    fn denial(&self, found: &str) -> Denial {
        Denial::Scope { found: excerpt(found), scope: Scope::Restore(self.clone().into()) }
    }

    fn checked_restore(&self, body: &str) -> Result<String, Denial> {
        let restore: Restore = read(body)?;
        restore.check()?;
        let impossible = self.rename.is_none().then(|| RenamePattern::to_impossible(&self.own));
        let is_probe = impossible.is_some() && restore.is_renamed_by(impossible.as_ref());
        let has_own_names = self.rename.is_none() && !is_probe;
        require(restore.include_aliases == has_own_names, "include_aliases", "`true` if no name is changed")?;
        let settings = &restore.index_settings;
        let is_granted = |(name, value): (&String, &Value)| match name.as_str() {
            MARK => is_mark(value),
            WRITE_BLOCK => *value == Value::Bool(true),
            _ => false,
        };
        require(settings.iter().all(is_granted), "index_settings", MARK)?;
        let is_expected = is_probe || restore.is_renamed_by(self.rename.as_ref());
        require(is_expected, "rename_pattern", "that of the prefix that was asked for")?;
        require(!is_probe || restore.indices.len() == 1, "indices", "one, if its name is one that no index can have")?;
        for index in &restore.indices {
            names::check_index(index, &self.own)?;
            if !self.indices.contains(index) {
                return Err(self.denial(&format!("restore of {index}")));
            }
        }
        written(&restore)
    }

    fn checked_aliases(&self, body: &str) -> Result<String, Denial> {
        let Some(other) = self.other_prefix() else { return Err(self.denial("POST /_aliases")) };
        let changes: Changes = read(body)?;
        for Action { add } in &changes.actions {
            names::check_index(&add.alias, other)?;
            if !self.targets.contains(&add.index) {
                return Err(self.denial(&format!("an alias of {}", add.index)));
            }
        }
        written(&changes)
    }
}

/// For messages: what is granted.
impl fmt::Display for RestoreScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        write!(
            f,
            "a call of a restore of backup {id}: only GET, restores of `{NAME_PREFIX}{id}_…` with the {} indices of its plan, and changes of these",
            self.indices.len()
        )
    }
}

/// The mark, which can be changed and taken away, and with it the block that was restored together with it.
fn checked_mark(body: &str) -> Result<String, Denial> {
    let settings: Map<String, Value> = read(body)?;
    let is_granted = |(name, value): (&String, &Value)| match name.as_str() {
        MARK => value.is_null() || is_mark(value),
        WRITE_BLOCK => value.is_null() && settings.get(MARK).is_some_and(Value::is_null),
        _ => false,
    };
    require(settings.contains_key(MARK) && settings.iter().all(is_granted), "settings", MARK)?;
    written(&settings)
}

fn takes_mark_away(request: &Request) -> bool {
    let settings = request.body.as_deref().and_then(|body| read::<Map<String, Value>>(body).ok());
    settings.is_some_and(|settings| settings.values().all(Value::is_null))
}

/// A text that no node's attribute can have, nor match.
pub(super) fn is_mark(value: &Value) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    value.as_str().is_some_and(|mark| !mark.is_empty() && mark.len() <= 200 && mark.bytes().all(is_plain))
}

pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Denial> {
    json::object(body).map_err(|error| Denial::Body(excerpt(&error.to_string())))
}

pub(super) fn written(body: &impl Serialize) -> Result<String, Denial> {
    serde_json::to_string(body).map_err(|error| Denial::Body(excerpt(&error.to_string())))
}

pub(super) fn require(granted: bool, key: &'static str, allowed: &'static str) -> Result<(), Denial> {
    if granted { Ok(()) } else { Err(Denial::Setting { key, allowed }) }
}

/// The settings of a restore that are granted. Reading refuses other keys and repeated ones.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Restore {
    pub(super) indices: Vec<String>,
    include_global_state: bool,
    pub(super) include_aliases: bool,
    #[serde(default)]
    ignore_index_settings: Vec<String>,
    #[serde(default)]
    pub(super) index_settings: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore_unavailable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rename_pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rename_replacement: Option<String>,
}

impl Restore {
    /// `None`: no name is changed.
    fn is_renamed_by(&self, rename: Option<&RenamePattern>) -> bool {
        self.rename_pattern == rename.map(RenamePattern::pattern)
            && self.rename_replacement == rename.map(RenamePattern::replacement)
    }

    /// What must hold of every restore.
    pub(super) fn check(&self) -> Result<(), Denial> {
        require(!self.include_global_state, "include_global_state", "`false`")?;
        require(self.partial != Some(true), "partial", "`false`")?;
        require(self.ignore_unavailable != Some(true), "ignore_unavailable", "`false`")?;
        require(
            self.ignore_index_settings.iter().all(|name| name == "index.blocks.*"),
            "ignore_index_settings",
            "`index.blocks.*`",
        )?;
        if self.indices.is_empty() { Err(Denial::NoIndices) } else { Ok(()) }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    actions: Vec<Action>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Action {
    add: Add,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Add {
    index: String,
    alias: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_write_index: Option<bool>,
}
