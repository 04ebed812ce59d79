use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::findings::{self, Facts};
use super::look::indices;
use super::parts::{Contents, Sizes, sizes};
use super::{renaming, room};
use crate::restore::{
    Finding, FindingCode, Found, IndexState, IndexWrites, PlannedIndex, RestoreAction, RestoreOptions, RestorePlan,
    RestoreRun, RunIndex, Target, own_indices,
};
use crate::{BackupId, Context, Engine, Error};

/// How long Optimize's import may be quiet: it writes its positions every ten seconds.
const WATCH_FOR: Duration = Duration::from_secs(11);

/// Tells what a restore would do, and what speaks against it. Writes nothing.
///
/// `writes` is what an earlier plan has told, to be compared with what there is now.
///
/// # Errors
/// [`Error::BackupNotFound`], [`Error::InvalidRenamePrefix`], or why something could not be read.
pub fn plan(
    engine: &impl Engine,
    context: &Context,
    id: &str,
    options: &RestoreOptions,
    writes: Option<&[IndexWrites]>,
) -> Result<RestorePlan, Error> {
    let id = BackupId::parse(id)?;
    let (rename, prefix) = renaming(context, options.rename_prefix.as_ref())?;
    let contents = Contents::of(engine, context, id)?;
    let (targets, others) = own_indices(&contents.parts, &context.settings.index_prefix, rename.as_ref());
    let (found, tasks) = indices(engine, context, prefix)?;
    let statistics = room::statistics(engine, context, prefix)?;
    let now = states_now(context, &targets, &found)?;
    let meanwhile = restored_meanwhile(&targets, &now, &found, writes);
    let states = states(&targets, now, &found, &statistics.writes);

    let mut findings = Vec::new();
    let mut known = Sizes::new();
    if contents.obstacle().is_none() {
        for part in &contents.parts {
            match sizes(engine, context, part)? {
                Ok(sizes) => known.extend(sizes),
                Err(reason) => findings.push(findings::unreadable(part, &reason)),
            }
        }
    }
    let facts = Facts {
        context,
        prefix,
        contents: &contents,
        targets: &targets,
        states: &states,
        others: &others,
        found: &found,
        tasks: &tasks,
    };
    findings.extend(facts.findings());
    findings.extend(meanwhile);
    findings.extend(super::check::names(engine, &facts)?);
    if rename.is_some() {
        findings.extend(findings::inside(prefix, &super::outer_installations(engine, context, prefix)?));
    } else {
        findings.extend(super::check::version(engine, &facts)?);
        findings.extend(room::writing(&statistics, writes));
    }
    findings.extend(room::room(engine, &facts, &known, &statistics)?);
    for finding in &mut findings {
        finding.overridden = options.overridden.iter().any(|code| code == finding.code.as_str());
    }

    let is_compared = writes.is_some() || rename.is_some() || statistics.writes.is_empty();
    let may_write = findings.iter().any(|finding| finding.code == FindingCode::OptimizeIsWriting);
    let is_over = options.overridden.iter().any(|code| code == FindingCode::OptimizeIsWriting.as_str());
    let again_in = (!is_compared && !may_write && !is_over).then_some(WATCH_FOR);
    let may_begin = again_in.is_none() && !findings.iter().any(Finding::stops);
    let run = may_begin.then(|| RestoreRun {
        backup_id: id,
        rename_prefix: options.rename_prefix.clone(),
        snapshots: contents.parts.iter().map(|part| part.uuid.clone()).collect(),
        indices: run_indices(&targets, &states, &found, &known),
    });
    Ok(RestorePlan {
        backup_id: id,
        version: contents.parts.first().map(|part| part.name.version.clone()),
        snapshots: contents.backup.snapshots.iter().map(|snapshot| snapshot.name.clone()).collect(),
        indices: planned(&targets, &states, &others, &found, &known),
        findings,
        writes: statistics.writes,
        again_in,
        run,
    })
}

fn states_now(
    context: &Context,
    targets: &[Target],
    found: &BTreeMap<String, Found>,
) -> Result<Vec<IndexState>, Error> {
    let repository = context.repository()?;
    Ok(targets.iter().map(|target| IndexState::of(target, found.get(&target.name), None, repository)).collect())
}

/// Another server has restored this backup since the earlier look, and has ended.
fn restored_meanwhile(
    targets: &[Target],
    states: &[IndexState],
    found: &BTreeMap<String, Found>,
    earlier: Option<&[IndexWrites]>,
) -> Option<Finding> {
    let earlier = earlier?;
    let is_new = |found: &Found| !earlier.iter().any(|writes| writes.uuid == found.uuid);
    let is_meant = |(target, state): &(&Target, &IndexState)| {
        **state == IndexState::Unmarked && found.get(&target.name).is_some_and(is_new)
    };
    let restored: Vec<&String> = targets.iter().zip(states).filter(is_meant).map(|(target, _)| &target.name).collect();
    (!restored.is_empty()).then(|| {
        findings::finding(
            FindingCode::AnotherRestore,
            format!(
                "while this restore was planned, another server has restored {} from the same backup: see where that stands, and restore it again only if it has to be",
                findings::named(restored)
            ),
        )
    })
}

/// Where each index stands. Only an index with the mark of an unfinished restore of this backup counts as restored from it,
/// and only as long as nobody can have written to it: a restore begins anew, whatever an earlier one did.
fn states(
    targets: &[Target],
    mut states: Vec<IndexState>,
    found: &BTreeMap<String, Found>,
    writes: &[IndexWrites],
) -> Vec<IndexState> {
    if is_ending(targets, &states, found, writes) {
        states.fill(IndexState::Restored);
        return states;
    }
    // A restored shard has seen no write since it was started, and before that the block forbade them.
    let is_written = |found: &Found| writes.iter().any(|writes| writes.uuid == found.uuid && writes.writes > 0);
    let is_doubtful = |found: &Found| found.is_finished() || !found.has_write_block || is_written(found);
    let replaced = |(target, state): (&Target, IndexState)| match state {
        IndexState::Foreign | IndexState::Failed(_) | IndexState::Unmarked | IndexState::Waiting(_) => IndexState::Old,
        IndexState::Restored | IndexState::Arrived if found.get(&target.name).is_some_and(is_doubtful) => {
            IndexState::Old
        }
        state => state,
    };
    targets.iter().zip(states).map(replaced).collect()
}

/// A restore of this backup was cut off while it took its marks away: every index is there, the engine says of those that have
/// none any more that they are from this backup, and nobody has written to any since its shard was started.
fn is_ending(
    targets: &[Target],
    states: &[IndexState],
    found: &BTreeMap<String, Found>,
    writes: &[IndexWrites],
) -> bool {
    let is_untouched = |found: &Found| writes.iter().any(|writes| writes.uuid == found.uuid && writes.writes == 0);
    let is_finished = |found: &Found| found.is_finished() && found.has_write_block;
    let is_left = |(target, state): (&Target, &IndexState)| {
        found.get(&target.name).is_some_and(|found| match state {
            IndexState::Restored => is_finished(found) && is_untouched(found),
            IndexState::Unmarked => is_untouched(found),
            _ => false,
        })
    };
    states.contains(&IndexState::Restored) && targets.iter().zip(states).all(is_left)
}

fn planned(
    targets: &[Target],
    states: &[IndexState],
    others: &[String],
    found: &BTreeMap<String, Found>,
    sizes: &Sizes,
) -> Vec<PlannedIndex> {
    let mut indices: Vec<PlannedIndex> = targets
        .iter()
        .zip(states)
        .map(|(target, state)| PlannedIndex {
            part: Some(target.part),
            index: target.index.clone(),
            target: target.name.clone(),
            size: sizes.get(&target.index).map(|&(bytes, _)| bytes),
            exists: *state != IndexState::Missing,
            action: match state {
                IndexState::Missing => RestoreAction::Restored,
                IndexState::Old | IndexState::Lost => RestoreAction::Replaced,
                _ => RestoreAction::Kept,
            },
        })
        .collect();
    let of_targets: BTreeSet<&String> = targets.iter().map(|target| &target.name).collect();
    let left = found.keys().filter(|name| !of_targets.contains(name)).chain(others);
    let left: BTreeSet<&String> = left.collect();
    indices.extend(left.into_iter().map(|name| PlannedIndex {
        part: None,
        index: name.clone(),
        target: name.clone(),
        size: sizes.get(name).map(|&(bytes, _)| bytes),
        exists: found.contains_key(name),
        action: RestoreAction::LeftAlone,
    }));
    indices
}

fn run_indices(
    targets: &[Target],
    states: &[IndexState],
    found: &BTreeMap<String, Found>,
    sizes: &Sizes,
) -> Vec<RunIndex> {
    let uuid = |target: &Target| found.get(&target.name).map(|found| found.uuid.clone());
    targets
        .iter()
        .zip(states)
        .map(|(target, state)| RunIndex {
            part: target.part,
            index: target.index.clone(),
            target: target.name.clone(),
            size: sizes.get(&target.index).map(|&(bytes, _)| bytes),
            replaces: (*state == IndexState::Old).then(|| uuid(target)).flatten(),
        })
        .collect()
}
