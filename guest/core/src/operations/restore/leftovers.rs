//! Marks that a restore of another backup has left on indices that this one does not have.

use std::collections::{BTreeMap, BTreeSet};

use crate::restore::{ExactIndices, Found, Mark, Standing, at_once};
use crate::selection::certain_names;
use crate::{IndexPrefix, Request};

/// The requests that take them away, with their indices: that restore is over. What it had not replaced yet stays blocked, if
/// somebody has blocked it. What looks like another installation's is left alone: that one's restore may be running.
pub(super) fn left_by_others(
    prefix: &IndexPrefix,
    found: &BTreeMap<String, Found>,
    standings: &[Standing],
) -> Vec<(Vec<String>, Request)> {
    let targets: BTreeSet<&String> = standings.iter().map(|standing| &standing.target.name).collect();
    let marked: Vec<(String, &Mark)> = certain_names(prefix, found.keys().map(String::as_str))
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), found.get(name)?.mark.as_ref()?)))
        .filter(|(name, _)| !targets.contains(name))
        .collect();
    let requests = |is_planned: bool| {
        let of_kind = marked.iter().filter(|(_, mark)| matches!(mark, Mark::Planned(_)) == is_planned);
        let mut rest: Vec<&String> = of_kind.map(|(name, _)| name).collect();
        let mut requests = Vec::new();
        while !rest.is_empty() {
            let names: Vec<String> =
                at_once(rest.iter(), |name| name.as_str()).into_iter().map(|name| (*name).clone()).collect();
            rest.drain(..names.len());
            let Some(indices) = ExactIndices::new(prefix, names.clone()) else { continue };
            let request =
                if is_planned { Request::unmark_indices(&indices) } else { Request::release_indices(&indices) };
            requests.push((names, request));
        }
        requests
    };
    requests(false).into_iter().chain(requests(true)).collect()
}
