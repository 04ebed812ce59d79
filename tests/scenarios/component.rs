//! The embedded component, as any host would see it.

use std::collections::BTreeSet;
use std::path::Path;

use optimize_backup::sandbox::EMBEDDED;
use wasmparser::{Parser, Payload};
use wit_parser::Resolve;

/// Imports and exports of the outermost component.
fn interfaces() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut imports, mut exports) = (BTreeSet::new(), BTreeSet::new());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(EMBEDDED) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(section.into_iter().map(|import| import.unwrap().name.name.to_owned()));
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(section.into_iter().map(|export| export.unwrap().name.name.to_owned()));
            }
            _ => {}
        }
    }
    (imports, exports)
}

#[test]
fn the_engine_is_the_only_capability() {
    let (imports, exports) = interfaces();
    // `types` has no functions: it names the records that both interfaces speak of.
    let expected = ["optimize:backup/elasticsearch@1.0.0", "optimize:backup/types@1.0.0"];
    assert_eq!(imports, expected.map(str::to_owned).into());
    let expected =
        ["backups", "restores", "retention", "verifications"].map(|name| format!("optimize:backup/{name}@1.0.0"));
    assert_eq!(exports, expected.into());
}

#[test]
fn types_is_an_interface_without_functions() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit")).unwrap();
    let types = resolve.packages[package].interfaces["types"];
    let functions: Vec<&String> = resolve.interfaces[types].functions.keys().collect();
    assert!(functions.is_empty(), "a second capability: {functions:?}");
}

#[test]
fn the_component_is_small() {
    let kilobytes = EMBEDDED.len() / 1024;
    assert!(kilobytes < 1536, "the policy has grown to {kilobytes} KiB");
}

#[test]
fn the_component_says_who_it_is_and_not_where_it_was_built() {
    let text = String::from_utf8_lossy(EMBEDDED);
    for known in ["optimize-backup-policy", env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_LICENSE")] {
        assert!(text.contains(known), "{known} is not in its metadata");
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let home = std::env::home_dir().unwrap();
    for path in [workspace, &home] {
        assert!(!text.contains(path.to_str().unwrap()), "it names {}", path.display());
    }
}
