use serde_json::json;

use super::*;

fn installation(names: &[&str]) -> Installation {
    let indices: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
    let body = json!({"indices": indices, "aliases": [], "data_streams": []}).to_string();
    let response = Response { status: 200, retry_after: None, body };
    Installation::read(&IndexPrefix::parse("optimize").unwrap(), Ok(&response)).unwrap()
}

#[test]
fn an_installation_is_counted_by_parts_and_its_neighbours_are_left_out() {
    let found = installation(&[
        "optimize-metadata_v3",
        "optimize-settings_v3",
        "optimize-process-definition_v6",
        "optimize-timestamp-based-import-index_v5",
        "optimize-eu-metadata_v3",
        "optimize-eu-settings_v3",
        "optimize-eu-timestamp-based-import-index_v5",
    ]);
    assert_eq!((found.count(Part::One), found.count(Part::Two)), (1, 3));
    assert_eq!(found.neighbours(), ["optimize-eu"]);
    assert_eq!(found.expect_complete().unwrap().names(), ["optimize-timestamp-based-import-index_v5"]);
}

#[test]
fn a_prefix_without_any_index_is_told_from_a_part_without_indices() {
    let nothing = installation(&[]).expect_complete().unwrap_err().to_string();
    assert!(nothing.contains("no index whose name begins with 'optimize-'"), "{nothing}");
    let no_import = installation(&["optimize-metadata_v3"]).expect_complete().unwrap_err().to_string();
    assert!(no_import.contains("no import index under the prefix 'optimize'"), "{no_import}");
}
