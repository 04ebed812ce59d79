//! What tells other hosts of a restore while indices are gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::restore::{Found, IndexState, Mark, Standing, Target};

/// What comes before the deletion of some indices.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Guarded {
    /// First these get a mark, which all are of one part.
    Mark(Vec<Target>),
    /// These can be deleted.
    Delete(Vec<Target>),
}

/// At any moment some index has a mark of the restore. So before the first ones are deleted, some that stay for now get one; if
/// all would be gone, one is left for later. The last one that there is has nothing beside it, and goes.
pub(super) fn guarded(standings: &[Standing], found: &BTreeMap<String, Found>, batch: &[Target]) -> Guarded {
    let names: BTreeSet<&String> = batch.iter().map(|target| &target.name).collect();
    let is_in_batch = |standing: &&Standing| names.contains(&standing.target.name);
    if standings.iter().filter(|standing| !is_in_batch(standing)).any(|standing| tells(standing, found)) {
        return Guarded::Delete(batch.to_vec());
    }
    let rest: Vec<Target> = standings
        .iter()
        .filter(|standing| !is_in_batch(standing) && can_tell(standing, found))
        .map(|standing| standing.target.clone())
        .collect();
    if let Some(first) = rest.first() {
        let of_one = |target: &&Target| target.snapshot_uuid == first.snapshot_uuid;
        return Guarded::Mark(rest.iter().filter(of_one).take(GUARDS).cloned().collect());
    }
    let of_batch = || standings.iter().filter(is_in_batch);
    let later = of_batch().find(|standing| tells(standing, found));
    match later.or_else(|| of_batch().find(|standing| can_tell(standing, found))) {
        Some(later) if batch.len() > 1 && tells(later, found) => {
            Guarded::Delete(batch.iter().filter(|target| target.name != later.target.name).cloned().collect())
        }
        Some(later) if batch.len() > 1 => Guarded::Mark(vec![later.target.clone()]),
        _ => Guarded::Delete(batch.to_vec()),
    }
}

/// How many indices get a mark: Optimize deletes the index of a process that has no instances any more.
const GUARDS: usize = 10;

fn tells(standing: &Standing, found: &BTreeMap<String, Found>) -> bool {
    let mark = found.get(&standing.target.name).and_then(|found| found.mark.as_ref());
    standing.is_marked && mark.is_some_and(Mark::is_unfinished)
}

/// A block can keep an engine from changing a setting.
fn can_tell(standing: &Standing, found: &BTreeMap<String, Found>) -> bool {
    standing.state == IndexState::Old && found.get(&standing.target.name).is_some_and(|found| !found.is_blocked)
}
