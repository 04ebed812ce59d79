mod restore;
mod verification;

use std::time::Duration;

use backup_core as core;
use backup_core::operations;

use crate::bindings::exports::optimize::backup::retention as wit_retention;
use crate::bindings::optimize::backup::types as wit;

pub use restore::from_rename_prefix;
pub use verification::from_holder;

core::policy_types!(crate::bindings::optimize::backup::types);
core::retention_types!(crate::bindings::exports::optimize::backup::retention);

/// Parses the context of a call, so that the operations need no further checks.
pub fn from_context(context: wit::Context) -> Result<core::Context, core::Error> {
    Ok(core::Context {
        settings: from_settings(context.settings)?,
        now: core::Timestamp(context.now),
        engine_clock: core::EngineClock::NotAsked,
        run_id: context.run_id,
        host: context.host,
        notes: context.notes.into_iter().filter_map(from_note).collect(),
    })
}

/// Parses the ID of a call of `advance`.
pub fn from_id(id: wit::BackupId) -> Result<core::BackupId, core::Error> {
    Ok(core::BackupId::parse(&id.to_string())?)
}

/// Parses the query of a call of `list`.
pub fn from_query(query: &wit::ListQuery) -> Result<core::ListQuery, core::Error> {
    Ok(core::ListQuery {
        pattern: core::IdPattern::parse(&query.pattern)?,
        before: query.before.map(from_id).transpose()?,
        limit: query.limit.map(|limit| core::PageLimit::parse(&limit.to_string())).transpose()?,
        verbose: query.verbose,
    })
}

/// Parses the rules of a call of `expire`.
pub fn from_rules(rules: &wit_retention::Rules) -> Result<core::RetentionRules, core::Error> {
    rules.read().map_err(|error| invalid("backup.retention", &error))
}

impl From<core::retention::Expired> for wit_retention::Expired {
    fn from(expired: core::retention::Expired) -> Self {
        Self { backup_id: expired.id.get(), reason: expired.reason.to_string() }
    }
}

fn from_settings(settings: wit::Settings) -> Result<core::Settings, core::Error> {
    let repository = Some(settings.repository).filter(|name| !name.is_empty());
    let version = settings.optimize_version;
    Ok(core::Settings {
        repository: repository
            .map(|name| core::RepositoryName::parse(&name))
            .transpose()
            .map_err(|error| invalid("backup.repositoryName", &error))?,
        index_prefix: core::IndexPrefix::parse(&settings.index_prefix)
            .map_err(|error| invalid("es.settings.index.prefix", &error))?,
        optimize_version: version
            .map(|version| core::OptimizeVersion::parse(&version))
            .transpose()
            .map_err(|error| invalid("optimize.version", &error))?,
        engine: settings.engine.into(),
        resume_window: Duration::from_millis(settings.resume_window),
    })
}

fn invalid(key: &'static str, error: &dyn std::fmt::Display) -> core::Error {
    core::Error::InvalidSetting { key, reason: error.to_string() }
}

/// `None` for an ID that no backup can have.
fn from_note(note: wit::RunNote) -> Option<core::RunNote> {
    Some(core::RunNote {
        backup_id: core::BackupId::new(note.backup_id)?,
        run_id: note.run_id,
        ended: note.ended,
        refusal: note.refusal,
        awaited: note.awaited.and_then(core::Part::from_number),
    })
}

impl From<operations::Accepted> for wit::Accepted {
    fn from(accepted: operations::Accepted) -> Self {
        Self { backup_id: accepted.part_one.backup_id.get(), snapshot_name: accepted.part_one.to_string() }
    }
}

impl From<operations::Step> for wit::Step {
    fn from(step: operations::Step) -> Self {
        let again_in = step.again_in.map(core::milliseconds);
        Self { backup: step.backup.into(), again_in, refusal: step.refusal, accepted: step.accepted }
    }
}

impl From<operations::BackupList> for wit::BackupsPage {
    fn from(list: operations::BackupList) -> Self {
        Self {
            backups: list.backups.into_iter().map(Into::into).collect(),
            foreign: u32::try_from(list.foreign).unwrap_or(u32::MAX),
            next: list.next.map(core::BackupId::get),
        }
    }
}

impl From<operations::Deleted> for wit::Deleted {
    fn from(deleted: operations::Deleted) -> Self {
        Self { snapshots: deleted.snapshots, runs: deleted.runs, pending: deleted.pending }
    }
}

impl From<core::Backup> for wit::Backup {
    fn from(backup: core::Backup) -> Self {
        Self {
            backup_id: backup.id.get(),
            state: backup.state.into(),
            failure_reason: backup.failure_reason,
            details: backup.snapshots.into_iter().map(Into::into).collect(),
            run_id: backup.run_id,
        }
    }
}

impl From<core::Snapshot> for wit::SnapshotDetail {
    fn from(snapshot: core::Snapshot) -> Self {
        Self {
            snapshot_name: snapshot.name.into(),
            state: snapshot.state.into(),
            start_time: snapshot.started.map(|started| started.0),
            failures: snapshot.failures,
        }
    }
}

impl From<core::BackupProgress> for wit::BackupProgress {
    fn from(progress: core::BackupProgress) -> Self {
        Self {
            backup_id: progress.id.get(),
            state: progress.state.into(),
            permille: progress.permille,
            start_time: progress.started.map(|started| started.0),
            elapsed: progress.elapsed.map(core::milliseconds),
            remaining: progress.remaining.map(core::milliseconds),
            parts: progress.parts.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<core::PartProgress> for wit::PartProgress {
    fn from(core::PartProgress { name, state, amounts }: core::PartProgress) -> Self {
        let (bytes, shards) = amounts.map(|core::Amounts { bytes, shards }| (bytes, shards)).unzip();
        Self {
            part: name.part.number(),
            snapshot_name: name.into(),
            state: state.into(),
            bytes: bytes.map(Into::into),
            shards: shards.map(|core::ShardCount { total, done, failed }| wit::ShardCount { total, done, failed }),
        }
    }
}

impl From<core::ByteCount> for wit::ByteCount {
    fn from(core::ByteCount { total, done }: core::ByteCount) -> Self {
        Self { total, done }
    }
}

impl From<core::Error> for wit::Error {
    fn from(error: core::Error) -> Self {
        let problem =
            wit::Problem { code: error.code().to_owned(), message: error.to_string(), detail: error.detail() };
        Self::new(error.kind(), problem)
    }
}
