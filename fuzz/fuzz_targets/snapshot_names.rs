//! Names of snapshots, from any text.

#![no_main]

use backup_core::{BackupId, OptimizeVersion, Part, SnapshotName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(name) = SnapshotName::parse(text) {
        assert_eq!(name.to_string(), text);
        assert_found_by_its_pattern_only(&name);
    }
    let (id, version) = text.split_once('_').unwrap_or((text, "8.6.0"));
    let (Ok(backup_id), Ok(version)) = (BackupId::parse(id), OptimizeVersion::parse(version)) else { return };
    for part in Part::ALL {
        let name = SnapshotName { backup_id, version: version.clone(), part };
        assert_eq!(SnapshotName::parse(&name.to_string()), Some(name));
    }
});

/// A pattern that found another backup's snapshots would delete them.
fn assert_found_by_its_pattern_only(name: &SnapshotName) {
    let id = name.backup_id.get();
    let others = [id / 10, id.wrapping_mul(10), id ^ 1].into_iter().filter_map(BackupId::new);
    assert!(finds(name.backup_id, name));
    assert!(others.filter(|other| *other != name.backup_id).all(|other| !finds(other, name)));
}

fn finds(id: BackupId, name: &SnapshotName) -> bool {
    name.to_string().starts_with(SnapshotName::pattern(id).trim_end_matches('*'))
}
