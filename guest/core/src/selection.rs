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
        let indices: BTreeSet<(&str, &str)> =
            names.into_iter().filter_map(|name| Some((name, prefix.strip(name)?))).collect();
        let nested = nested_installations(indices.iter().map(|&(_, rest)| rest));
        let chosen: Vec<String> = indices
            .into_iter()
            .filter(|(_, rest)| !nested.iter().any(|other| belongs_to(rest, other)))
            .filter(|(_, rest)| part_of(rest) == part)
            .map(|(name, _)| name.to_owned())
            .collect();
        if chosen.is_empty() { Err(NothingToSnapshot(part)) } else { Ok(Self(chosen)) }
    }

    /// The names, sorted.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// Which of the indices that every installation has are not among `names`. An engine silently leaves out what its user
/// may not see.
pub(crate) fn missing_indices<'a>(prefix: &IndexPrefix, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let found: BTreeSet<&str> = names.into_iter().filter_map(|name| prefix.strip(name)).map(base_name).collect();
    let missing = REQUIRED.into_iter().filter(|name| !found.contains(name));
    missing.map(|name| format!("{prefix}-{name}")).collect()
}

fn part_of(index: &str) -> Part {
    if PART_ONE.contains(&base_name(index)) { Part::One } else { Part::Two }
}

/// `external-process-variable_v2-000001` → `external-process-variable`.
fn base_name(index: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
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
    bases
        .iter()
        .filter_map(|base| base.strip_suffix("-metadata"))
        .filter(|other| !begins_like_ours(other))
        .filter(|other| REQUIRED.iter().all(|name| bases.contains(format!("{other}-{name}").as_str())))
        .collect()
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The names of a real installation of 8.9, and what older versions have.
    const INSTALLATION: [&str; 26] = [
        "optimize-process-instance-invoice_v8",
        "optimize-decision-instance-dish_v5",
        "optimize-settings_v3",
        "optimize-dashboard_v8",
        "optimize-dashboard-share_v4",
        "optimize-single-process-report_v11",
        "optimize-tenant_v3",
        "optimize-report-share_v3",
        "optimize-process-definition_v6",
        "optimize-collection_v5",
        "optimize-decision-definition_v5",
        "optimize-single-decision-report_v10",
        "optimize-variable-label_v1",
        "optimize-combined-report_v5",
        "optimize-alert_v4",
        "optimize-terminated-user-session_v3",
        "optimize-external-process-variable_v2-000001",
        "optimize-process-overview_v2",
        "optimize-metadata_v3",
        "optimize-instant-dashboard_v1",
        "optimize-business-key_v2",
        "optimize-update-log_v1",
        "optimize-variable-update-instance_v2-000001",
        "optimize-import-index_v3",
        "optimize-timestamp-based-import-index_v5",
        "optimize-position-based-import-index_v3",
    ];

    /// What 8.10 has besides.
    const NEW_IN_8_10: [&str; 6] = [
        "optimize-job-registry_v1",
        "optimize-business-value-target_v1",
        "optimize-business-value-overview_v1",
        "optimize-web-session_v1",
        "optimize-agent-cost-rate_v1",
        "optimize-reporting-metrics_v1",
    ];

    fn installation_of_8_10() -> Vec<&'static str> {
        INSTALLATION.into_iter().filter(|name| !name.contains("update")).chain(NEW_IN_8_10).collect()
    }

    fn select(part: Part, names: &[&str]) -> Vec<String> {
        let prefix = IndexPrefix::parse("optimize").unwrap();
        IndexSelection::new(part, &prefix, names.iter().copied()).map(|chosen| chosen.0).unwrap_or_default()
    }

    fn renamed(prefix: &str) -> Vec<String> {
        INSTALLATION.iter().map(|name| name.replacen("optimize", prefix, 1)).collect()
    }

    #[test]
    fn part_1_is_exactly_the_import_progress() {
        assert_eq!(
            select(Part::One, &INSTALLATION),
            [
                "optimize-import-index_v3",
                "optimize-position-based-import-index_v3",
                "optimize-timestamp-based-import-index_v5"
            ]
        );
        assert_eq!(select(Part::Two, &INSTALLATION).len(), INSTALLATION.len() - 3);
    }

    #[test]
    fn of_what_8_10_brings_only_the_state_of_deletions_is_in_part_1() {
        let names = installation_of_8_10();
        assert_eq!(
            select(Part::One, &names),
            [
                "optimize-import-index_v3",
                "optimize-job-registry_v1",
                "optimize-position-based-import-index_v3",
                "optimize-timestamp-based-import-index_v5"
            ]
        );
        let two = select(Part::Two, &names);
        assert_eq!(two.len(), names.len() - 4);
        assert!(NEW_IN_8_10.iter().skip(1).all(|name| two.iter().any(|chosen| chosen == name)));
        assert_eq!(
            select(Part::Two, &["optimize-process-instance-job-registry_v8"]),
            ["optimize-process-instance-job-registry_v8"]
        );
    }

    #[test]
    fn what_every_installation_has_is_missed() {
        let prefix = IndexPrefix::parse("optimize").unwrap();
        let missing = |names: &[&str]| missing_indices(&prefix, names.iter().copied());
        assert!(missing(&INSTALLATION).is_empty());
        assert!(missing(&installation_of_8_10()).is_empty());
        for (index, name) in [
            ("optimize-metadata_v3", "optimize-metadata"),
            ("optimize-settings_v3", "optimize-settings"),
            ("optimize-timestamp-based-import-index_v5", "optimize-timestamp-based-import-index"),
        ] {
            let others: Vec<&str> = INSTALLATION.into_iter().filter(|other| *other != index).collect();
            assert_eq!(missing(&others), [name]);
        }
        // Those of another installation, of an older one without versions, and what is only called alike.
        assert_eq!(missing(&["optimize-eu-metadata_v3", "optimizer-metadata_v3", "metadata_v3"]).len(), 3);
        assert_eq!(missing(&["optimize-metadata", "optimize-settings_v1-000002"]).len(), 1);
        assert_eq!(missing(&["optimize-process-instance-metadata_v8"]).len(), 3);
    }

    #[test]
    fn versions_and_rollovers_do_not_matter() {
        let import =
            ["optimize-import-index_v12", "optimize-position-based-import-index_v3-000002", "optimize-import-index"];
        assert_eq!(select(Part::One, &import).len(), 3);
        for other in [
            "optimize-process-instance-import-index_v8",
            "optimize-import-index-x_v1",
            "optimize-import-index_vx",
            "optimize-import-index_v1-00001",
            "optimize-my-import-index_v3",
        ] {
            assert_eq!(select(Part::Two, &[other]), [other]);
        }
    }

    #[test]
    fn an_empty_part_is_refused() {
        let prefix = IndexPrefix::parse("optimize").unwrap();
        for part in Part::ALL {
            assert_eq!(IndexSelection::new(part, &prefix, []), Err(NothingToSnapshot(part)));
            let foreign = ["optimizer-import-index_v3", "operate-list-view_v1", "optimize"];
            assert_eq!(IndexSelection::new(part, &prefix, foreign), Err(NothingToSnapshot(part)));
        }
    }

    #[test]
    fn a_second_installation_below_the_prefix_is_left_out() {
        let second = renamed("optimize-eu");
        let both: Vec<&str> = INSTALLATION.iter().copied().chain(second.iter().map(String::as_str)).collect();
        for part in Part::ALL {
            assert_eq!(select(part, &both), select(part, &INSTALLATION));
        }
        let prefix = IndexPrefix::parse("optimize-eu").unwrap();
        let chosen = IndexSelection::new(Part::One, &prefix, both).unwrap();
        assert!(chosen.names().iter().all(|name| second.contains(name)));
    }

    #[test]
    fn a_process_may_be_named_like_an_index() {
        let mean = [
            "optimize-process-instance-metadata_v8",
            "optimize-process-instance-settings_v8",
            "optimize-process-instance-timestamp-based-import-index_v8",
            "optimize-process-instance-a-metadata_v8",
            "optimize-process-instance-a-settings_v8",
            "optimize-process-instance-a-timestamp-based-import-index_v8",
        ];
        assert_eq!(select(Part::Two, &mean).len(), mean.len());
    }

    #[test]
    fn a_second_installation_takes_none_of_ours() {
        let names = INSTALLATION.iter().chain(&NEW_IN_8_10);
        let ours: Vec<&str> = names.filter_map(|name| name.strip_prefix("optimize-")).collect();
        for words in ours.iter().flat_map(|name| beginnings(base_name(name))) {
            let second = renamed(&format!("optimize-{words}"));
            let both: Vec<&str> = INSTALLATION.iter().copied().chain(second.iter().map(String::as_str)).collect();
            for part in Part::ALL {
                let chosen = select(part, &both);
                for own in select(part, &INSTALLATION) {
                    assert!(chosen.contains(&own), "{own} is left out because of optimize-{words}");
                }
            }
        }
    }

    /// `a-b-c` → `a`, `a-b`, `a-b-c`.
    fn beginnings(name: &str) -> Vec<&str> {
        name.match_indices('-').map(|(end, _)| end).chain([name.len()]).map(|end| &name[..end]).collect()
    }

    proptest! {
        #[test]
        fn the_parts_are_disjoint_and_nothing_is_lost(
            names in prop::collection::vec("optimize-(process-instance-)?[a-z-]{1,12}(_v[0-9]{1,2})?(-00000[1-9])?", 0..30)
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (one, two) = (select(Part::One, &names), select(Part::Two, &names));
            let all: BTreeSet<&str> = one.iter().chain(&two).map(String::as_str).collect();
            prop_assert_eq!(all.len(), one.len() + two.len());
            prop_assert_eq!(all, names.into_iter().collect::<BTreeSet<_>>());
        }

        #[test]
        fn whatever_processes_are_called_nothing_is_lost(
            keys in prop::collection::vec("(a-|b-)?(metadata|settings|timestamp-based-import-index|x)", 0..12),
            family in "process-instance|process-instance-archive|decision-instance|event-process-instance|event-trace-state|camunda-activity-event"
        ) {
            let named: Vec<String> = keys.iter().map(|key| format!("optimize-{family}-{key}_v8")).collect();
            let names: BTreeSet<&str> = INSTALLATION.iter().copied().chain(named.iter().map(String::as_str)).collect();
            let all: Vec<&str> = names.iter().copied().collect();
            let (one, two) = (select(Part::One, &all), select(Part::Two, &all));
            prop_assert_eq!(one.iter().chain(&two).map(String::as_str).collect::<BTreeSet<_>>(), names);
        }

        #[test]
        fn nothing_outside_the_prefix_is_chosen(names in prop::collection::vec("\\PC{0,20}", 0..20)) {
            for part in Part::ALL {
                let chosen = select(part, &names.iter().map(String::as_str).collect::<Vec<_>>());
                prop_assert!(chosen.iter().all(|name| name.starts_with("optimize-")));
            }
        }
    }
}
