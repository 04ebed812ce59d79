//! Where the indices of a run stand, whose plan is known.

use std::collections::BTreeMap;

use crate::RepositoryName;
use crate::restore::{Found, IndexState, Mark, Standing, WRITE_BLOCK};

fn opened() -> String {
    format!(
        "somebody has taken {WRITE_BLOCK} away before the restore was complete, so that it can have been written to"
    )
}

/// What the run has left without marks. An index that was there when it was planned has a mark or another UUID, so that this
/// one was restored since; and once every index is finished, those without a mark have just lost it.
pub(super) fn run_standings(
    standings: Vec<Standing>,
    found: &BTreeMap<String, Found>,
    repository: &RepositoryName,
) -> Vec<Standing> {
    let finishes = is_finishing(&standings, found) || is_over(&standings, found, repository);
    let is_open = |standing: &Standing| {
        let is_unfinished = |found: &Found| found.mark.as_ref().is_some_and(Mark::is_unfinished);
        found.get(&standing.target.name).is_some_and(|found| is_unfinished(found) && !found.has_write_block)
    };
    let settled = |standing: Standing| match standing.state {
        IndexState::Restored | IndexState::Arrived | IndexState::Waiting(_) if is_open(&standing) => {
            Standing { state: IndexState::Failed(opened()), ..standing }
        }
        IndexState::Unmarked => Standing { state: IndexState::Restored, ..standing },
        IndexState::Foreign if finishes && !standing.is_marked => Standing { state: IndexState::Restored, ..standing },
        _ => standing,
    };
    standings.into_iter().map(settled).collect()
}

/// Some index has the mark of a restore all of whose indices are there, and no other index has another mark or is missing.
fn is_finishing(standings: &[Standing], found: &BTreeMap<String, Found>) -> bool {
    let found_of = |standing: &Standing| found.get(&standing.target.name);
    let is_finished = |standing: &Standing| {
        found_of(standing).is_some_and(|found| found.is_marked_for(&standing.target) && found.is_finished())
    };
    let is_unmarked = |standing: &Standing| {
        found_of(standing).is_some_and(|found| found.mark.is_none()) && standing.state != IndexState::Old
    };
    standings.iter().any(is_finished) && standings.iter().all(|standing| is_finished(standing) || is_unmarked(standing))
}

/// No index has a mark any more, and the engine says of at least half of them that they are from this snapshot. Of another it can
/// have forgotten that: its shard has moved, while the answer to the last request was lost.
fn is_over(standings: &[Standing], found: &BTreeMap<String, Found>, repository: &RepositoryName) -> bool {
    let is_left = |standing: &Standing| {
        let snapshot = standing.target.snapshot.to_string();
        let is_from = |found: &Found| found.mark.is_none() && found.can_be_from(repository.as_str(), &snapshot);
        standing.state != IndexState::Old && found.get(&standing.target.name).is_some_and(is_from)
    };
    let known = standings.iter().filter(|standing| standing.state == IndexState::Unmarked).count();
    known > 0 && known * 2 >= standings.len() && standings.iter().all(is_left)
}
