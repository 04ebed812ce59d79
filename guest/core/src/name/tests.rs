use proptest::prelude::*;

use super::*;

#[test]
fn is_camundas_scheme() {
    let name = SnapshotName {
        backup_id: BackupId::parse("123456").unwrap(),
        version: OptimizeVersion::parse("3.10.0").unwrap(),
        part: Part::One,
    };
    assert_eq!(name.to_string(), "camunda_optimize_123456_3.10.0_part_1_of_2");
}

#[test]
fn leaves_other_names_alone() {
    for name in [
        "nightly-2024.01.01",
        "camunda_optimize_",
        "camunda_optimize_12",
        "camunda_optimize_mybackup_3.9.0_part_1_of_2",
        "camunda_optimize_12_3.9.0_part_3_of_2",
        "camunda_optimize_12_3.9.0_part_1_of_3",
        "camunda_optimize_12__part_1_of_2",
        "camunda_optimize_012_3.9.0_part_1_of_2",
        "camunda_optimize_99999999999999999999_3.9.0_part_1_of_2",
        "camunda_optimize_12_3.9.0-SNAPSHOT_part_1_of_2",
        "camunda_zeebe_12_3.9.0_part_1_of_2",
        "xcamunda_optimize_12_3.9.0_part_1_of_2",
        "camunda_optimize_12_3.9.0_part_1_of_2 ",
    ] {
        assert_eq!(SnapshotName::parse(name), None, "{name}");
    }
}

proptest! {
    #[test]
    fn reads_what_it_writes(id in 1..=BackupId::MAX, version in "[a-z0-9.+-]{1,64}", first: bool) {
        let name = SnapshotName {
            backup_id: BackupId::new(id).unwrap(),
            version: OptimizeVersion::parse(&version).unwrap(),
            part: if first { Part::One } else { Part::Two },
        };
        prop_assert_eq!(SnapshotName::parse(&name.to_string()), Some(name));
    }

    #[test]
    fn writes_what_it_reads(text in "(camunda_optimize_)?[0-9a-zA-Z_.-]{0,30}(_part_[0-9]_of_[0-9])?") {
        if let Some(name) = SnapshotName::parse(&text) {
            prop_assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn one_character_away_from_a_name_is_another_name_or_none(
        id in 1..=BackupId::MAX, version in "[a-z0-9.+-]{1,12}", at: prop::sample::Index, new in "[0A-Za-z_.ä ]?"
    ) {
        let name = format!("camunda_optimize_{id}_{version}_part_1_of_2");
        let at = at.index(name.len());
        for text in [format!("{}{new}{}", &name[..at], &name[at..]), format!("{}{new}{}", &name[..at], &name[at + 1..])] {
            if let Some(read) = SnapshotName::parse(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}
