//! What an engine in memory does for a restore.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::index::{Index, Shard, Source, StoredIndex};
use super::indices::missing;
use super::repository::Repository;
use super::response::{Failure, Reply, expect_parameters, not_known, refusal};
use super::state::State;
use super::{Dialect, StoredSnapshot};
use crate::restore::{MARK, WRITE_BLOCK, is_expression};
use crate::verification::HOLDER;
use crate::{Request, SnapshotState};

/// The body of a restore.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRestore {
    #[serde(default)]
    indices: Vec<String>,
    #[serde(default)]
    include_global_state: bool,
    #[serde(default = "yes")]
    include_aliases: bool,
    #[serde(default)]
    partial: bool,
    #[serde(default)]
    ignore_index_settings: Vec<String>,
    #[serde(default)]
    index_settings: BTreeMap<String, Value>,
    rename_pattern: Option<String>,
    rename_replacement: Option<String>,
}

fn yes() -> bool {
    true
}

impl NewRestore {
    fn read(body: Option<&str>) -> Result<Self, Failure> {
        let restore: Self = serde_json::from_str(body.unwrap_or("{}"))
            .map_err(|error| not_known(format!("such a body of a restore ({error})")))?;
        let is_known = !restore.include_global_state
            && !restore.partial
            && restore.index_settings.iter().all(|(name, value)| is_known_setting(name, value))
            && restore.indices.iter().all(|name| !name.contains(['*', ',']));
        if is_known { Ok(restore) } else { Err(not_known("global states, partial restores, settings or patterns")) }
    }

    /// The name after the restore. Of patterns, this knows only `^{prefix}-(.+)$`, whose rest a replacement has at its end or
    /// not at all.
    fn renamed(&self, index: &str) -> Result<String, Failure> {
        let (Some(pattern), Some(replacement)) = (&self.rename_pattern, &self.rename_replacement) else {
            return Ok(index.to_owned());
        };
        let begin = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix("(.+)$"));
        let begin = begin.map(|begin| begin.replace("\\.", "."));
        let Some(begin) = begin else { return Err(not_known("such a pattern of names")) };
        Ok(match (index.strip_prefix(&begin), replacement.strip_suffix("$1")) {
            (None, _) => index.to_owned(),
            (Some(rest), Some(new)) => format!("{new}{rest}"),
            (Some(_), None) => replacement.clone(),
        })
    }

    /// The index as it is after the restore.
    fn stored(&self, mut stored: StoredIndex) -> StoredIndex {
        if !self.include_aliases {
            stored.aliases.clear();
        }
        if self.ignore_index_settings.iter().any(|pattern| pattern == "index.blocks.*") {
            stored.blocks.clear();
        }
        if self.index_settings.contains_key(WRITE_BLOCK) {
            stored.blocks.push(WRITE_BLOCK.to_owned());
        }
        if self.index_settings.contains_key(REPLICAS) {
            stored.replicas = 0;
        }
        stored
    }
}

impl State {
    pub(super) fn restore(&mut self, dialect: Dialect, request: &Request, repository: &str, name: &str) -> Reply {
        expect_parameters(request, &[("wait_for_completion", "false")])?;
        let restore = NewRestore::read(request.body.as_deref())?;
        let known = self.repositories.get(repository).ok_or_else(|| Repository::missing(repository))?;
        if !known.snapshots.iter().any(|snapshot| snapshot.name == name) {
            let reason = format!("[{}] snapshot does not exist", known.full_name(dialect, name));
            return Err(refusal(500, "snapshot_restore_exception", reason));
        }
        let snapshot = known.readable(dialect, name)?.clone();
        if snapshot.state == SnapshotState::InProgress {
            let reason = format!("[{repository}:{name}] unsupported snapshot state [IN_PROGRESS]");
            return Err(refusal(500, "snapshot_restore_exception", reason));
        }
        let chosen = if restore.indices.is_empty() { snapshot.indices.clone() } else { restore.indices.clone() };
        if let Some(index) = chosen.iter().find(|index| !snapshot.indices.contains(index)) {
            return Err(missing(index));
        }
        let renamed: Vec<String> = chosen.iter().map(|index| restore.renamed(index)).collect::<Result<_, _>>()?;
        if let Some(index) = renamed.iter().find(|index| is_expression(index)) {
            return Err(refusal(
                400,
                "invalid_index_name_exception",
                format!("Invalid index name [{index}], must not contain '#'"),
            ));
        }
        if let Some(index) = renamed.iter().find(|index| self.indices.get(index).is_some_and(|index| !index.is_closed))
        {
            let reason = format!(
                "[{repository}:{name}/{}] cannot restore index [{index}] because an open index with same name already exists in the cluster.",
                snapshot.uuid()
            );
            return Err(refusal(500, "snapshot_restore_exception", reason));
        }
        for (index, new) in chosen.iter().zip(&renamed) {
            let stored = snapshot.contents.get(index).cloned().unwrap_or_else(|| StoredIndex::new(index));
            self.indices.create(new, restore.stored(stored));
            self.begin_restore(repository, &snapshot, index, new, &restore.index_settings);
        }
        Ok(json!({"accepted": true}))
    }

    fn begin_restore(
        &mut self,
        repository: &str,
        snapshot: &StoredSnapshot,
        index: &str,
        new: &str,
        settings: &BTreeMap<String, Value>,
    ) {
        let end = self.restoring_takes.map(|span| self.now.after(span));
        let text = |name: &str| settings.get(name).and_then(Value::as_str).map(str::to_owned);
        let restored: &mut Index = self.indices.index(new);
        (restored.mark, restored.holder) = (text(MARK), text(HOLDER));
        restored.source = Source::Snapshot { repository: repository.to_owned(), snapshot: snapshot.name.clone() };
        restored.shard = if snapshot.unreadable_data.contains(index) {
            let details = format!(
                "failed shard on node [the-only-node]: failed recovery; nested: IndexShardRestoreFailedException[failed to restore snapshot [{}]]; nested: NoSuchFileException[indices/{index}/0/__x]; ",
                snapshot.name
            );
            Shard::Unassigned { reason: "ALLOCATION_FAILED", details: Some(details) }
        } else if self.is_allocation_off {
            // The engine ends such a restore at once.
            let details = format!("restore_source[{repository}/{}]", snapshot.name);
            Shard::Unassigned { reason: "NEW_INDEX_RESTORED", details: Some(details) }
        } else {
            end.map_or(Shard::Started, Shard::Restoring)
        };
    }

    /// What the cluster is doing with snapshots.
    pub(super) fn tasks(&self, request: &Request) -> Reply {
        expect_parameters(request, &[("filter_path", "*")])?;
        let mut restores: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (name, index) in self.indices.iter() {
            if let (Shard::Restoring(_), Source::Snapshot { repository, snapshot }) = (&index.shard, &index.source) {
                restores.entry((repository, snapshot)).or_default().push(name);
            }
        }
        let restores: Vec<Value> = restores
            .into_iter()
            .map(|((repository, snapshot), indices)| {
                json!({"repository": repository, "snapshot": snapshot, "state": "STARTED", "indices": indices})
            })
            .collect();
        let running = self.repositories.iter().flat_map(|(repository, known)| {
            let running = known.snapshots.iter().filter(|snapshot| snapshot.state == SnapshotState::InProgress);
            running.map(move |snapshot| {
                let indices: Vec<Value> = snapshot.indices.iter().map(|name| json!({"name": name})).collect();
                json!({"repository": repository, "snapshot": snapshot.name, "state": "STARTED", "indices": indices})
            })
        });
        let running: Vec<Value> = running.collect();
        Ok(json!({
            "restore": {"snapshots": restores},
            "snapshots": {"snapshots": running},
            "snapshot_deletions": {"snapshot_deletions": []},
        }))
    }

    pub(super) fn delete_indices(&mut self, request: &Request, names: &str) -> Reply {
        expect_parameters(request, &[])?;
        let snapshots = self.repositories.values().flat_map(|repository| &repository.snapshots);
        let mut running = snapshots.filter(|snapshot| snapshot.state == SnapshotState::InProgress);
        let is_held =
            |snapshot: &StoredSnapshot| names.split(',').any(|name| snapshot.indices.iter().any(|i| i == name));
        if running.any(is_held) {
            let reason = format!("Cannot delete indices that are being snapshotted: [[{names}]].");
            return Err(refusal(400, "snapshot_in_progress_exception", reason));
        }
        self.indices.delete(names)
    }

    /// The settings that are changed: the mark, and with it the block is taken away.
    pub(super) fn change_settings(&mut self, request: &Request, names: &str) -> Reply {
        expect_parameters(request, &[])?;
        let body: BTreeMap<String, Option<String>> = serde_json::from_str(request.body.as_deref().unwrap_or_default())
            .map_err(|error| not_known(format!("such settings ({error})")))?;
        match (body.len(), body.get(MARK), body.get(WRITE_BLOCK), body.get(HOLDER)) {
            (1, Some(mark), None, None) => self.indices.change(names, |index| index.mark.clone_from(mark)),
            (2, Some(None), Some(None), None) => self.indices.release(names),
            (1, None, None, Some(holder)) => self.indices.change(names, |index| index.holder.clone_from(holder)),
            _ => Err(not_known("other settings")),
        }
    }

    /// Creates the lock of verifications.
    pub(super) fn create_index(&mut self, request: &Request, name: &str) -> Reply {
        expect_parameters(request, &[("wait_for_active_shards", "0")])?;
        let new: NewIndex = serde_json::from_str(request.body.as_deref().unwrap_or_default())
            .map_err(|error| not_known(format!("such a body of a new index ({error})")))?;
        if let Some(existing) = self.indices.get(name) {
            let reason = format!("index [{name}/{}] already exists", existing.uuid);
            return Err(refusal(400, "resource_already_exists_exception", reason));
        }
        self.indices.index(name).holder = Some(new.settings.holder);
        Ok(json!({"acknowledged": true, "shards_acknowledged": false, "index": name}))
    }

    pub(super) fn change_aliases(&mut self, request: &Request) -> Reply {
        expect_parameters(request, &[])?;
        let body: Actions = serde_json::from_str(request.body.as_deref().unwrap_or_default())
            .map_err(|error| not_known(format!("such actions ({error})")))?;
        for Action { add } in body.actions {
            self.indices.add_alias(&add.index, &add.alias, add.is_write_index)?;
        }
        Ok(json!({"acknowledged": true}))
    }

    /// Whether one of the snapshots is being restored.
    pub(super) fn is_restoring(&self, repository: &str, names: &[&str]) -> bool {
        self.indices.iter().any(|(_, index)| {
            let is_of = matches!(&index.source, Source::Snapshot { repository: of, snapshot }
                if of == repository && names.contains(&snapshot.as_str()));
            is_of && matches!(index.shard, Shard::Restoring(_))
        })
    }

    /// From now on a restore takes this long.
    pub(super) fn set_restoring(&mut self, span: Duration) {
        self.restoring_takes = Some(span);
    }
}

const REPLICAS: &str = "index.number_of_replicas";

fn is_known_setting(name: &str, value: &Value) -> bool {
    match name {
        MARK | HOLDER => value.is_string(),
        WRITE_BLOCK => *value == Value::Bool(true),
        REPLICAS => value == "0",
        "index.auto_expand_replicas" => value == "false",
        _ => false,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewIndex {
    settings: NewSettings,
}

/// One shard and no replica is all that an index here can have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSettings {
    #[serde(rename = "index.number_of_shards")]
    _shards: One,
    #[serde(rename = "index.number_of_replicas")]
    _replicas: Zero,
    #[serde(rename = "index.routing.allocation.exclude.optimize_backup_verification")]
    holder: String,
}

#[derive(Deserialize)]
enum One {
    #[serde(rename = "1")]
    Only,
}

#[derive(Deserialize)]
enum Zero {
    #[serde(rename = "0")]
    Only,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Actions {
    actions: Vec<Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    add: Add,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    index: String,
    alias: String,
    is_write_index: Option<bool>,
}
