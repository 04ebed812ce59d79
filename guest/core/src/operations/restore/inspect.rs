use std::collections::BTreeMap;

use super::look::indices;
use super::parts::{Contents, sizes};
use super::{check, renaming};
use crate::restore::{
    Found, IndexState, Mark, Restore, RestoreState, RestoredIndex, RestoredIndexState, Standing, Target, failure,
    own_indices,
};
use crate::{BackupId, ByteCount, Context, Engine, Error, IndexPrefix};

/// What to do after a failure.
pub(super) const AFTER_FAILURE: &str = "do not start Optimize: mend the cause, and start the restore of this backup again, which goes on with what is missing; or restore another backup";

/// Tells where a restore stands, whoever drives it.
///
/// # Errors
/// [`Error::BackupNotFound`], or why something could not be read.
pub fn get(
    engine: &impl Engine,
    context: &Context,
    id: &str,
    rename_prefix: Option<&IndexPrefix>,
) -> Result<Restore, Error> {
    let id = BackupId::parse(id)?;
    let (rename, prefix) = renaming(context, rename_prefix)?;
    let contents = Contents::of(engine, context, id)?;
    let (targets, _) = own_indices(&contents.parts, &context.settings.index_prefix, rename.as_ref());
    let (found, _) = indices(engine, context, prefix)?;
    let mut standings = standings(context, targets, &found, &BTreeMap::new())?;
    let is_marked = standings.iter().any(|standing| standing.is_marked);
    for standing in standings.iter_mut().filter(|standing| standing.state == IndexState::Unmarked) {
        // While a restore is unfinished, this is what an earlier one has left.
        standing.state = if is_marked { IndexState::Foreign } else { IndexState::Restored };
    }
    let mut known = BTreeMap::new();
    if is_marked {
        for part in &contents.parts {
            known.extend(sizes(engine, context, part)?.unwrap_or_default());
        }
    }
    let by_target = standings
        .iter()
        .filter_map(|standing| Some((standing.target.name.as_str(), known.get(&standing.target.index)?.0)))
        .collect();
    completed(engine, context, prefix, report(id, &standings, &found, &by_target), &standings)
}

/// Looks at restored indices as a whole, once all of them are there.
pub(super) fn completed(
    engine: &impl Engine,
    context: &Context,
    prefix: &IndexPrefix,
    restore: Restore,
    standings: &[Standing],
) -> Result<Restore, Error> {
    if restore.state != RestoreState::Complete {
        return Ok(restore);
    }
    let check::Whole { fault, version } = check::whole(engine, context, prefix, standings)?;
    if fault.is_some() {
        let next_step = Some(AFTER_FAILURE.to_owned());
        return Ok(Restore { state: RestoreState::Failed, failure_reason: fault, next_step, ..restore });
    }
    let named = standings.first().map(|standing| standing.target.snapshot.version.to_string());
    let start = start(named.unwrap_or_default(), version);
    let next_step = if context.settings.index_prefix == *prefix {
        format!(
            "{start}; in a cluster of Camunda, restore the other components from the backup with the same ID before"
        )
    } else {
        format!("look at the indices {prefix}-*, and delete them by their exact names when they are no longer needed")
    };
    Ok(Restore { next_step: Some(next_step), ..restore })
}

/// Which Optimize to start: snapshots are named after a setting, if there is one.
fn start(named: String, version: Option<String>) -> String {
    match version {
        Some(version) if version.to_ascii_lowercase() != named => {
            format!(
                "start Optimize {version}, which the restored data is of, although the snapshots are named after {named}"
            )
        }
        _ => format!("start Optimize {named}"),
    }
}

/// Where each target stands; `replaces` has the UUIDs of the indices that may be deleted.
pub(super) fn standings(
    context: &Context,
    targets: Vec<Target>,
    found: &BTreeMap<String, Found>,
    replaces: &BTreeMap<&str, &str>,
) -> Result<Vec<Standing>, Error> {
    let repository = context.repository()?;
    let standing = |target: Target| {
        let index = found.get(&target.name);
        let state = IndexState::of(&target, index, replaces.get(target.name.as_str()).copied(), repository);
        let is_marked = index.is_some_and(|index| index.is_marked_for(&target));
        Standing { state, is_marked, target }
    };
    Ok(targets.into_iter().map(standing).collect())
}

/// What there is to tell, with the sizes of targets as far as they are known.
pub(super) fn report(
    id: BackupId,
    standings: &[Standing],
    found: &BTreeMap<String, Found>,
    sizes: &BTreeMap<&str, u64>,
) -> Restore {
    let indices: Vec<RestoredIndex> = standings
        .iter()
        .map(|standing| RestoredIndex {
            part: standing.target.part,
            index: standing.target.name.clone(),
            state: told(&standing.state),
            bytes: bytes(standing, found.get(&standing.target.name), sizes),
        })
        .collect();
    let state = state(standings);
    let failure_reason = (state == RestoreState::Failed).then(|| failures(standings));
    Restore {
        backup_id: id,
        state,
        bytes: total(&indices),
        next_step: next_step(state, standings),
        failure_reason,
        indices,
    }
}

fn told(state: &IndexState) -> RestoredIndexState {
    match state {
        IndexState::Missing => RestoredIndexState::Missing,
        IndexState::Restoring | IndexState::Waiting(_) | IndexState::Lost => RestoredIndexState::Restoring,
        IndexState::Arrived | IndexState::Restored | IndexState::Unmarked => RestoredIndexState::Restored,
        IndexState::Old | IndexState::Failed(_) | IndexState::Foreign => RestoredIndexState::Other,
    }
}

fn state(standings: &[Standing]) -> RestoreState {
    let is_restored = |standing: &Standing| told(&standing.state) == RestoredIndexState::Restored;
    if standings.iter().any(|standing| matches!(standing.state, IndexState::Failed(_))) {
        RestoreState::Failed
    } else if standings.iter().any(|standing| standing.is_marked || standing.state == IndexState::Restoring) {
        RestoreState::InProgress
    } else if !standings.is_empty() && standings.iter().all(is_restored) {
        RestoreState::Complete
    } else {
        RestoreState::None
    }
}

fn failures(standings: &[Standing]) -> String {
    let failed: Vec<Standing> =
        standings.iter().filter(|standing| matches!(standing.state, IndexState::Failed(_))).cloned().collect();
    failure(&failed).unwrap_or_default()
}

fn bytes(standing: &Standing, found: Option<&Found>, sizes: &BTreeMap<&str, u64>) -> Option<ByteCount> {
    let size = sizes.get(standing.target.name.as_str()).copied();
    match told(&standing.state) {
        RestoredIndexState::Missing | RestoredIndexState::Other => size.map(|total| ByteCount { total, done: 0 }),
        RestoredIndexState::Restored
            if matches!(found?.mark, Some(Mark::Restored(_) | Mark::Finished(_))) && size.is_some() =>
        {
            size.map(|total| ByteCount { total, done: total })
        }
        RestoredIndexState::Restoring | RestoredIndexState::Restored => {
            let recoveries = || found.into_iter().flat_map(|found| &found.recoveries);
            let from_snapshot = || recoveries().filter(|recovery| recovery.snapshot.is_some());
            let seen: u64 = from_snapshot().map(|recovery| recovery.total_bytes).sum();
            let total = size.unwrap_or(seen).max(seen);
            (total > 0).then(|| ByteCount { total, done: from_snapshot().map(|recovery| recovery.done_bytes).sum() })
        }
    }
}

fn total(indices: &[RestoredIndex]) -> Option<ByteCount> {
    let known = indices.iter().filter_map(|index| index.bytes);
    let sum = known.fold(ByteCount::default(), |sum, bytes| ByteCount {
        total: sum.total.saturating_add(bytes.total),
        done: sum.done.saturating_add(bytes.done),
    });
    (sum.total > 0).then_some(sum)
}

fn next_step(state: RestoreState, standings: &[Standing]) -> Option<String> {
    match state {
        RestoreState::Failed => Some(AFTER_FAILURE.to_owned()),
        RestoreState::InProgress => {
            let waiting: Vec<String> = standings
                .iter()
                .filter_map(|standing| match &standing.state {
                    IndexState::Waiting(why) => Some(format!("{} has no primary shard: {why}", standing.target.name)),
                    _ => None,
                })
                .collect();
            (!waiting.is_empty()).then(|| waiting.join("; "))
        }
        RestoreState::None if standings.iter().any(|standing| standing.state == IndexState::Missing) => Some(
            "indices of this backup are missing: if a restore was begun, start it again; do not start Optimize before"
                .to_owned(),
        ),
        RestoreState::Complete | RestoreState::None => None,
    }
}
