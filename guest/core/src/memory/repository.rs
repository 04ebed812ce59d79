use std::time::Duration;

use serde_json::{Value, json};

use super::indices::Indices;
use super::response::{Failure, Reply, not_known, refusal};
use super::snapshot::NewSnapshot;
use super::{Damage, Dialect, StoredSnapshot};
use crate::request::ListMode;
use crate::{SnapshotState, Timestamp, milliseconds};

/// A registered snapshot repository.
#[derive(Debug)]
pub(super) struct Repository {
    name: String,
    pub(super) read_only: bool,
    pub(super) snapshots: Vec<StoredSnapshot>,
}

impl Repository {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), read_only: false, snapshots: Vec::new() }
    }

    pub(super) fn missing(name: &str) -> Failure {
        refusal(404, "repository_missing_exception", format!("[{name}] missing"))
    }

    pub(super) fn snapshot_missing(&self, dialect: Dialect, name: &str) -> Failure {
        refusal(404, "snapshot_missing_exception", format!("[{}] is missing", self.full_name(dialect, name)))
    }

    /// A snapshot's name in error reasons.
    pub(super) fn full_name(&self, dialect: Dialect, snapshot: &str) -> String {
        format!("{}{}:{snapshot}", dialect.project(), self.name)
    }

    pub(super) fn settings(&self) -> Value {
        let mut settings = json!({"location": self.name});
        if let Some(settings) = settings.as_object_mut().filter(|_| self.read_only) {
            settings.insert("readonly".to_owned(), json!("true"));
        }
        json!({&self.name: {"type": "fs", "settings": settings}})
    }

    /// The snapshots whose names match.
    pub(super) fn list(&self, dialect: Dialect, patterns: &[&str], mode: ListMode) -> Reply {
        if patterns.iter().any(|pattern| pattern.strip_suffix('*').unwrap_or(pattern).contains('*')) {
            return Err(not_known("patterns with a * that is not the last character"));
        }
        if mode != ListMode::ReadableOnly {
            self.expect_found(dialect, patterns)?;
        }
        let is_listed = |found: &&StoredSnapshot| patterns.iter().any(|pattern| matches(pattern, &found.name));
        let mut found: Vec<&StoredSnapshot> = self.snapshots.iter().filter(is_listed).collect();
        found.sort_by_key(|snapshot| (snapshot.started, &snapshot.name));
        let listed: Result<Vec<Value>, Failure> = match mode {
            ListMode::NamesOnly => Ok(found.into_iter().map(StoredSnapshot::outline).collect()),
            ListMode::Strict => found.into_iter().map(|found| self.open(found, dialect)).collect(),
            ListMode::ReadableOnly => {
                Ok(found.into_iter().filter_map(|found| self.open(found, dialect).ok()).collect())
            }
        };
        Ok(json!({"snapshots": listed?}))
    }

    /// Every exact name must be there. Some engines also refuse patterns if none of them matches anything.
    fn expect_found(&self, dialect: Dialect, patterns: &[&str]) -> Result<(), Failure> {
        let is_found = |pattern: &str| self.snapshots.iter().any(|found| matches(pattern, &found.name));
        let missing = patterns.iter().find(|pattern| !pattern.ends_with('*') && !is_found(pattern));
        let is_empty = dialect.misses_what_a_pattern_matches() && !patterns.iter().any(|pattern| is_found(pattern));
        match missing.or(patterns.first().filter(|_| is_empty)) {
            Some(pattern) => Err(self.snapshot_missing(dialect, pattern)),
            None => Ok(()),
        }
    }

    /// A snapshot whose metadata file can be read.
    pub(super) fn readable(&self, dialect: Dialect, name: &str) -> Result<&StoredSnapshot, Failure> {
        let found = self.snapshots.iter().find(|snapshot| snapshot.name == name);
        let snapshot = found.ok_or_else(|| self.snapshot_missing(dialect, name))?;
        self.open(snapshot, dialect).map(|_| snapshot)
    }

    /// A snapshot's details, which are in its metadata file.
    fn open(&self, snapshot: &StoredSnapshot, dialect: Dialect) -> Reply {
        let name = format!("{}/{}", snapshot.name, snapshot.uuid());
        match snapshot.damage {
            None => Ok(snapshot.details(dialect.snapshot_version(), dialect.snapshot_version_id())),
            Some(Damage::Missing) => Err(self.snapshot_missing(dialect, &name)),
            Some(Damage::Unreadable) => {
                let reason = format!("[{}] failed to get snapshots", self.full_name(dialect, &name));
                Err(refusal(500, "snapshot_exception", reason))
            }
        }
    }

    /// The status of the snapshot with this name. If it is being written, that takes as long as `writing_takes`.
    pub(super) fn status(
        &self,
        dialect: Dialect,
        name: &str,
        now: Timestamp,
        writing_takes: Option<Duration>,
    ) -> Reply {
        let snapshot = self.readable(dialect, name)?;
        if !snapshot.unreadable_shards.is_empty() {
            return Err(self.snapshot_missing(dialect, &format!("{name}/{}", snapshot.uuid())));
        }
        let all: u64 = snapshot.indices.iter().map(|index| snapshot.size(index)).sum();
        let by_time = writing_takes.map_or(0, |span| {
            let elapsed = milliseconds(now.since(snapshot.started));
            all.saturating_mul(elapsed).checked_div(milliseconds(span)).unwrap_or(all)
        });
        let written = snapshot.written.max(by_time).min(all);
        Ok(json!({"snapshots": [snapshot.status(written)]}))
    }

    /// Starts a snapshot.
    pub(super) fn create(
        &mut self,
        dialect: Dialect,
        name: &str,
        new: NewSnapshot,
        indices: &Indices,
        now: Timestamp,
    ) -> Reply {
        self.expect_new(dialect, name)?;
        let chosen = indices.chosen(new.indices)?;
        let snapshot = StoredSnapshot::new(name, SnapshotState::InProgress, now);
        let unassigned = indices.unassigned(&chosen);
        if !unassigned.is_empty() {
            let name = format!("{name}/{}", snapshot.uuid());
            let reason =
                format!("[{}] Indices don't have primary shards {unassigned:?}", self.full_name(dialect, &name));
            return Err(refusal(500, "snapshot_exception", reason));
        }
        let stored = |name: &String| Some((name.clone(), indices.get(name)?.stored.clone()));
        let contents = chosen.iter().filter_map(stored).collect();
        self.snapshots.push(StoredSnapshot {
            indices: chosen,
            contents,
            include_global_state: new.include_global_state,
            metadata: new.metadata.map(Value::Object),
            ..snapshot
        });
        Ok(json!({"accepted": true}))
    }

    fn expect_new(&self, dialect: Dialect, name: &str) -> Result<(), Failure> {
        let invalid = |why: &str| format!("[{}] Invalid snapshot name [{name}], {why}", self.full_name(dialect, name));
        if name != name.to_lowercase() {
            return Err(refusal(400, "invalid_snapshot_name_exception", invalid("must be lowercase")));
        }
        self.expect_writable("create snapshot in")?;
        let why = match self.snapshots.iter().find(|known| known.name == name) {
            None => return Ok(()),
            Some(known) if known.state == SnapshotState::InProgress => {
                "snapshot with the same name is already in-progress"
            }
            Some(_) => "snapshot with the same name already exists",
        };
        Err(refusal(400, dialect.name_in_use(), invalid(why)))
    }

    fn expect_writable(&self, what: &str) -> Result<(), Failure> {
        let reason = || format!("[{}] cannot {what} a readonly repository", self.name);
        if self.read_only { Err(refusal(500, "repository_exception", reason())) } else { Ok(()) }
    }

    /// Deletes all of these snapshots, or none if an exact name does not exist.
    pub(super) fn delete(&mut self, dialect: Dialect, names: &[&str]) -> Reply {
        if names.iter().any(|name| name.trim_end_matches('*').contains('*')) {
            return Err(not_known("patterns with a * that is not the last character"));
        }
        self.expect_writable("delete snapshot from")?;
        let is_missing = |name: &str| !name.contains('*') && !self.snapshots.iter().any(|known| known.name == name);
        if let Some(name) = names.iter().find(|name| is_missing(name)) {
            return Err(self.snapshot_missing(dialect, name));
        }
        self.snapshots.retain(|known| !names.iter().any(|name| matches(name, &known.name)));
        Ok(json!({"acknowledged": true}))
    }

    pub(super) fn is_writing(&self, names: &[&str]) -> bool {
        let running = |known: &StoredSnapshot| known.state == SnapshotState::InProgress;
        self.snapshots.iter().any(|known| running(known) && names.iter().any(|name| matches(name, &known.name)))
    }
}

/// Whether the name is the pattern, or begins with what is before its `*`.
fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |begin| name.starts_with(begin))
}
