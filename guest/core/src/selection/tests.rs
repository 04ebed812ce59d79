use proptest::prelude::*;

use super::*;

/// The names of a real installation of 8.7, which has all that older and later ones have but for what 8.10 brings.
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

fn installation_of_8_9() -> Vec<&'static str> {
    INSTALLATION.into_iter().filter(|name| !name.contains("variable-update-instance")).collect()
}

fn installation_of_8_10() -> Vec<&'static str> {
    installation_of_8_9().into_iter().filter(|name| !name.contains("update-log")).chain(NEW_IN_8_10).collect()
}

fn select(part: Part, names: &[&str]) -> Vec<String> {
    let prefix = IndexPrefix::parse("optimize").unwrap();
    IndexSelection::new(part, &prefix, names.iter().copied()).map(|chosen| chosen.0).unwrap_or_default()
}

fn renamed(prefix: &str) -> Vec<String> {
    INSTALLATION.iter().map(|name| name.replacen("optimize", prefix, 1)).collect()
}

#[test]
fn up_to_8_9_part_1_is_exactly_the_import_progress() {
    for names in [INSTALLATION.to_vec(), installation_of_8_9()] {
        assert_eq!(
            select(Part::One, &names),
            [
                "optimize-import-index_v3",
                "optimize-position-based-import-index_v3",
                "optimize-timestamp-based-import-index_v5"
            ]
        );
        assert_eq!(select(Part::Two, &names).len(), names.len() - 3);
    }
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

/// Official since 8.10.
#[test]
fn installations_of_teams_are_left_out() {
    let names = installation_of_8_10();
    let of = |prefix: &str| names.iter().map(|name| name.replacen("optimize", prefix, 1)).collect::<Vec<_>>();
    let installations = ["optimize", "optimize-team-a", "optimize-team-b", "optimize-team-b-2"].map(of);
    let all: Vec<&str> = installations.iter().flatten().map(String::as_str).collect();
    for (prefix, own) in ["optimize", "optimize-team-a", "optimize-team-b"].into_iter().zip(&installations) {
        let prefix = IndexPrefix::parse(prefix).unwrap();
        let chosen = Part::ALL.map(|part| IndexSelection::new(part, &prefix, all.iter().copied()).unwrap().0).concat();
        assert_eq!(BTreeSet::from_iter(&chosen), BTreeSet::from_iter(own), "{prefix}");
    }
}

/// Through a fault of the Helm chart of 8.8, Optimize can have the prefix of Zeebe's own indices and aliases.
#[test]
fn zeebes_own_indices_are_left_out() {
    let own: Vec<String> =
        installation_of_8_10().iter().map(|name| name.replacen("optimize", "zeebe-record", 1)).collect();
    let zeebes = ["process-instance", "job", "variable", "deployment"]
        .map(|kind| format!("zeebe-record_{kind}_8.8.0_2026-11-27"));
    let all: Vec<&str> = own.iter().chain(&zeebes).map(String::as_str).collect();
    let prefix = IndexPrefix::parse("zeebe-record").unwrap();
    let chosen = Part::ALL.map(|part| IndexSelection::new(part, &prefix, all.iter().copied()).unwrap().0).concat();
    assert_eq!(BTreeSet::from_iter(&chosen), BTreeSet::from_iter(&own));
}

#[test]
fn the_indices_of_a_part_tell_whose_it_is() {
    let mut names = installation_of_8_10();
    names.extend([
        "optimize-process-instance-metadata_v8",
        "optimize-process-instance-settings_v8",
        "optimize-process-instance-timestamp-based-import-index_v8",
    ]);
    for prefix in ["optimize", "optimize-team-b", "zeebe-record", "o"] {
        let all: Vec<String> = names.iter().map(|name| name.replacen("optimize", prefix, 1)).collect();
        for part in Part::ALL {
            let of = IndexPrefix::parse(prefix).unwrap();
            let selection = IndexSelection::new(part, &of, all.iter().map(String::as_str)).unwrap();
            assert_eq!(installation_of(selection.names()), Some(prefix), "{part}");
        }
    }
    for other in
        [&["optimize-process-instance-a_v8"][..], &["optimize-metadata_v3"], &["metadata_v3", "settings_v3"], &[]]
    {
        assert_eq!(installation_of(&other.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()), None);
    }
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

#[test]
fn no_index_of_ours_looks_like_another_installations() {
    let names: Vec<&str> = INSTALLATION.iter().chain(&NEW_IN_8_10).copied().collect();
    let prefix = IndexPrefix::parse("optimize").unwrap();
    assert_eq!(doubtful_names(&prefix, names.iter().copied()), [""; 0]);
    // Whatever of it is gone.
    for name in &names {
        assert_eq!(doubtful_names(&prefix, names.iter().copied().filter(|other| other != name)), [""; 0]);
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
