use std::collections::BTreeSet;

use crate::{IndexPrefix, Part};

/// The indices of one part, by exact names. Never empty: for an engine, an empty list means every index of the cluster
/// (camunda/camunda issue 26618).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSelection(Vec<String>);

/// There is no index for a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NothingToSnapshot(pub Part);

/// The indices of part 1, without prefix and version: import progress, and since 8.10 the state of deletions. If that
/// were newer than the data, a restore would bring erased data back and never delete it again.
const PART_ONE: [&str; 4] =
    ["import-index", "timestamp-based-import-index", "position-based-import-index", "job-registry"];

/// Some of the indices that Optimize creates when it first starts, in every version.
const REQUIRED: [&str; 3] = ["metadata", "settings", "timestamp-based-import-index"];

/// Those with what people make in Optimize: nothing else brings it back, and no clean-up deletes it.
const ENTITIES: [&str; 8] = [
    "alert",
    "collection",
    "combined-report",
    "dashboard",
    "dashboard-share",
    "report-share",
    "single-decision-report",
    "single-process-report",
];

impl IndexSelection {
    /// Chooses a part's indices among `names`; those of other applications are left out.
    ///
    /// # Errors
    /// [`NothingToSnapshot`] if none is left.
    pub fn new<'a>(
        part: Part,
        prefix: &IndexPrefix,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, NothingToSnapshot> {
        let of_part = |name: &&str| prefix.strip(name).is_some_and(|rest| part_of(rest) == part);
        let chosen: Vec<String> = own_names(prefix, names).into_iter().filter(of_part).map(str::to_owned).collect();
        if chosen.is_empty() { Err(NothingToSnapshot(part)) } else { Ok(Self(chosen)) }
    }

    /// The names, sorted.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// The names of the installation's own indices, sorted.
pub(crate) fn own_names<'a>(prefix: &IndexPrefix, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let indices: BTreeSet<(&str, &str)> =
        names.into_iter().filter_map(|name| Some((name, prefix.strip(name)?))).collect();
    let nested = nested_installations(indices.iter().map(|&(_, rest)| rest));
    let is_own = |rest: &str| !nested.iter().any(|other| belongs_to(rest, other));
    indices.into_iter().filter(|(_, rest)| is_own(rest)).map(|(name, _)| name).collect()
}

/// Which of the indices that every installation has are not among `names`. An engine silently leaves out what its user
/// may not see.
pub(crate) fn missing_indices<'a>(prefix: &IndexPrefix, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let found: BTreeSet<&str> = names.into_iter().filter_map(|name| prefix.strip(name)).map(base_name).collect();
    let missing = REQUIRED.into_iter().filter(|name| !found.contains(name));
    missing.map(|name| format!("{prefix}-{name}")).collect()
}

/// The prefixes of other installations that are found with this one's.
pub(crate) fn neighbours<'a>(prefix: &IndexPrefix, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let nested = nested_installations(names.into_iter().filter_map(|name| prefix.strip(name)));
    nested.into_iter().map(|other| format!("{prefix}-{other}")).collect()
}

/// The names that look like those of another installation whose prefix begins with this one's: of a whole one, or of one of
/// which there is only a part.
pub(crate) fn doubtful_names<'a>(prefix: &IndexPrefix, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let indices: Vec<(&str, &str)> = names.into_iter().filter_map(|name| Some((name, prefix.strip(name)?))).collect();
    let bases: BTreeSet<&str> = indices.iter().map(|&(_, rest)| base_name(rest)).collect();
    let doubtful: BTreeSet<&str> = whole_installations(&bases).chain(partial_installations(&bases)).collect();
    let is_doubtful = |rest: &str| doubtful.iter().any(|other| belongs_to(rest, other));
    indices.into_iter().filter(|(_, rest)| is_doubtful(rest)).map(|(name, _)| name).collect()
}

/// The installation's own names that do not look like another's either.
pub(crate) fn certain_names<'a>(prefix: &IndexPrefix, names: impl Iterator<Item = &'a str> + Clone) -> Vec<&'a str> {
    let doubtful: BTreeSet<&str> = doubtful_names(prefix, names.clone()).into_iter().collect();
    own_names(prefix, names).into_iter().filter(|name| !doubtful.contains(name)).collect()
}

/// The prefix of the installation whose part these are the indices of. `None`: they are not a whole part.
///
/// Part 1 has the one index that every installation has of it, part 2 has the others. The shortest prefix counts: a
/// process may be named like an index, and the indices of a nested installation may be in it.
pub(crate) fn installation_of(indices: &[String]) -> Option<&str> {
    let bases: BTreeSet<&str> = indices.iter().map(|name| base_name(name)).collect();
    let import = bases.iter().filter_map(|base| base.strip_suffix("-timestamp-based-import-index"));
    let others = bases
        .iter()
        .filter_map(|base| base.strip_suffix("-metadata"))
        .filter(|prefix| bases.contains(format!("{prefix}-settings").as_str()));
    import.chain(others).min_by_key(|prefix| prefix.len())
}

fn part_of(index: &str) -> Part {
    if PART_ONE.contains(&base_name(index)) { Part::One } else { Part::Two }
}

/// Whether an index has what people make in Optimize.
pub(crate) fn has_entities(prefix: &IndexPrefix, name: &str) -> bool {
    prefix.strip(name).is_some_and(|rest| ENTITIES.contains(&base_name(rest)))
}

/// Whether a name ends in the counter of indices that are rolled over: `external-process-variable_v2-000001`.
pub(crate) fn is_rolled_over(index: &str) -> bool {
    let Some((base, counter)) = index.rsplit_once('-') else { return false };
    let is_versioned = base.rsplit_once("_v").is_some_and(|(_, version)| is_number(version));
    is_versioned && counter.len() == 6 && is_number(counter)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `external-process-variable_v2-000001` → `external-process-variable`.
pub(crate) fn base_name(index: &str) -> &str {
    let unrolled = match index.rsplit_once('-') {
        Some((base, counter)) if counter.len() == 6 && is_number(counter) => base,
        _ => index,
    };
    match unrolled.rsplit_once("_v") {
        Some((base, version)) if is_number(version) => base,
        _ => unrolled,
    }
}

/// Other installations whose prefix begins with ours and a dash: with `optimize` and `optimize-eu` in
/// one cluster, `optimize-*` finds both. Recognised by the indices that every installation has.
///
/// In doubt an index is included: one too many can be left out of a restore, one too few is lost. So
/// `optimize-process` never counts as another installation: its indices could be `optimize`'s own
/// `process-definition`, or named after a process.
fn nested_installations<'a>(indices: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let bases: BTreeSet<&str> = indices.map(base_name).collect();
    whole_installations(&bases).filter(|other| !begins_like_ours(other)).collect()
}

fn whole_installations<'a>(bases: &BTreeSet<&'a str>) -> impl Iterator<Item = &'a str> {
    bases
        .iter()
        .filter_map(|base| base.strip_suffix("-metadata"))
        .filter(|other| REQUIRED.iter().all(|name| bases.contains(format!("{other}-{name}").as_str())))
}

/// Those of which there are at least two indices that are called like one that every installation has once. After a process,
/// too, an index can be called so.
fn partial_installations<'a>(bases: &BTreeSet<&'a str>) -> impl Iterator<Item = &'a str> {
    const SIGNS: [&str; 4] = ["metadata", "settings", "timestamp-based-import-index", "position-based-import-index"];
    let prefix_of = |base: &&'a str| SIGNS.iter().find_map(|sign| base.strip_suffix(sign)?.strip_suffix('-'));
    let has = |other: &str, sign: &str| bases.contains(format!("{other}-{sign}").as_str());
    bases
        .iter()
        .filter_map(prefix_of)
        .filter(move |other| SIGNS.iter().filter(|sign| has(other, sign)).count() > 1)
        .filter(|other| !is_of_a_family(other))
}

/// Whether indices that begin so are named after a process, a decision or the like.
fn is_of_a_family(name: &str) -> bool {
    const FAMILIES: [&str; 7] = [
        "process-instance",
        "process-instance-archive",
        "decision-instance",
        "event-process-instance",
        "event-sequence-count",
        "event-trace-state",
        "camunda-activity-event",
    ];
    FAMILIES.iter().any(|family| name == *family || belongs_to(name, family))
}

/// Whether the first word is that of an index of Optimize.
fn begins_like_ours(name: &str) -> bool {
    const FIRST_WORDS: &str = "agent alert business camunda collection combined dashboard decision event external import \
        instant job license metadata onboarding position process report reporting settings single tenant terminated \
        timestamp update variable web";
    let first = name.split('-').next();
    FIRST_WORDS.split(' ').any(|word| Some(word) == first)
}

fn belongs_to(index: &str, installation: &str) -> bool {
    index.strip_prefix(installation).is_some_and(|rest| rest.starts_with('-'))
}

#[cfg(test)]
mod tests;
