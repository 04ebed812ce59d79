//! Marks that a restore of another backup has left on indices that this one does not have.

use std::collections::{BTreeMap, BTreeSet};

use crate::restore::{ExactIndices, Found, Mark, Standing};
use crate::selection::own_names;
use crate::{IndexPrefix, Request};

/// Takes some of them away: that restore is over. What it had not replaced yet stays blocked, if somebody has blocked it.
pub(super) fn left_by_others(
    prefix: &IndexPrefix,
    found: &BTreeMap<String, Found>,
    standings: &[Standing],
) -> Option<Request> {
    const MAX_AT_ONCE: usize = 10;
    let targets: BTreeSet<&String> = standings.iter().map(|standing| &standing.target.name).collect();
    let marked: Vec<(String, &Mark)> = own_names(prefix, found.keys().map(String::as_str))
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), found.get(name)?.mark.as_ref()?)))
        .filter(|(name, _)| !targets.contains(name))
        .collect();
    let some = |is_planned: bool| {
        let of_kind = marked.iter().filter(|(_, mark)| matches!(mark, Mark::Planned(_)) == is_planned);
        ExactIndices::new(prefix, of_kind.take(MAX_AT_ONCE).map(|(name, _)| name.clone()).collect())
    };
    let restored = some(false).map(|indices| Request::release_indices(&indices));
    restored.or_else(|| some(true).map(|indices| Request::unmark_indices(&indices)))
}
