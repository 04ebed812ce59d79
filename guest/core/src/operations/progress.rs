use crate::operations::inspect::read;
use crate::operations::send;
use crate::progress::{Amounts, BackupProgress};
use crate::refusal::{document, success};
use crate::status::{IndexSizes, Statuses};
use crate::{BackupId, Context, Engine, Error, Request, Snapshot, SnapshotName, SnapshotState};

/// Reads how far a backup is.
///
/// The engine's status of a finished snapshot costs it one read of the repository for each shard: ask for one backup at a
/// time.
///
/// # Errors
/// [`Error::BackupNotFound`], or why it could not be read.
pub fn progress(engine: &impl Engine, context: &Context, id: &str) -> Result<BackupProgress, Error> {
    const MAX_ATTEMPTS: usize = 3;
    let id = BackupId::parse(id)?;
    for _ in 1..MAX_ATTEMPTS {
        let attempt = read_once(engine, context, id)?;
        if !attempt.has_changed {
            return Ok(attempt.progress);
        }
    }
    read_once(engine, context, id).map(|attempt| attempt.progress)
}

struct Attempt {
    progress: BackupProgress,
    /// A snapshot that was listed was gone when it was asked for.
    has_changed: bool,
}

fn read_once(engine: &impl Engine, context: &Context, id: BackupId) -> Result<Attempt, Error> {
    let backup = read(engine, context, id)?;
    let mut has_changed = false;
    let mut amounts = Vec::with_capacity(backup.snapshots.len());
    for snapshot in &backup.snapshots {
        let found = amounts_of(engine, context, snapshot)?;
        has_changed |= matches!(found, Found::Gone);
        amounts.push(found.amounts());
    }
    Ok(Attempt { progress: BackupProgress::new(&backup, amounts, context.now), has_changed })
}

/// What the engine tells of a snapshot that was listed.
enum Found {
    Told(Amounts),
    /// It has finished, and its files cannot be read, or are of another version.
    NotTold,
    Gone,
}

impl Found {
    fn amounts(self) -> Option<Amounts> {
        match self {
            Self::Told(amounts) => Some(amounts),
            Self::NotTold | Self::Gone => None,
        }
    }
}

fn amounts_of(engine: &impl Engine, context: &Context, snapshot: &Snapshot) -> Result<Found, Error> {
    if snapshot.state == SnapshotState::Unreadable {
        return Ok(Found::NotTold);
    }
    let is_running = snapshot.state == SnapshotState::InProgress;
    let repository = context.repository()?;
    let request = Request::status(repository, &snapshot.name);
    let response = send(engine, &request)?;
    match success(&response) {
        Ok(body) => {
            let statuses: Statuses = document(&request, body)?;
            let sizes = if is_running { index_sizes(engine, context) } else { IndexSizes::default() };
            Ok(told(&statuses, &snapshot.name, &sizes))
        }
        Err(refusal) if refusal.is_snapshot_missing() => Ok(Found::Gone),
        Err(refusal) if is_running => Err(Error::refused(&request, refusal, repository)),
        Err(_) => Ok(Found::NotTold),
    }
}

fn told(statuses: &Statuses, name: &SnapshotName, sizes: &IndexSizes) -> Found {
    statuses.amounts_of(&name.to_string(), sizes).map_or(Found::NotTold, Found::Told)
}

/// Without them the estimate is worse, which is no reason to fail: it takes a privilege that backups do not need.
fn index_sizes(engine: &impl Engine, context: &Context) -> IndexSizes {
    let request = Request::index_sizes(&context.settings.index_prefix);
    let response = engine.send(&request).ok();
    let sizes = response.as_ref().and_then(|response| document(&request, success(response).ok()?).ok());
    sizes.unwrap_or_default()
}
