//! The host's modules in `use` lines: from the top down, no arrow back up, no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// From the top down: a module uses only what comes after it.
const LAYERS: [&str; 8] = ["cli", "server", "http", "backups", "policy", "sandbox", "elasticsearch", "settings"];
/// Every layer may use these, and they use none of the layers but `settings`.
const LEAVES: [&str; 5] = ["metrics", "telemetry", "clock", "correlation", "rotation"];

#[test]
fn no_module_of_the_host_uses_one_above_it() -> Result<()> {
    let mut upwards = Vec::new();
    for (module, used) in uses()? {
        let below = match LAYERS.iter().position(|&layer| layer == module) {
            Some(layer) => LAYERS.iter().skip(layer + 1).chain(&LEAVES).copied().collect::<BTreeSet<_>>(),
            None => ["settings", "clock"].into(),
        };
        upwards.extend(
            used.into_iter().filter(|used| !below.contains(used.as_str())).map(|used| format!("{module} uses {used}")),
        );
    }
    assert!(upwards.is_empty(), "against docs/architecture.md: {upwards:#?}");
    Ok(())
}

#[test]
fn every_module_of_the_host_has_a_layer() -> Result<()> {
    let known: BTreeSet<&str> = LAYERS.into_iter().chain(LEAVES).collect();
    let unknown: Vec<String> = uses()?.into_keys().filter(|module| !known.contains(module.as_str())).collect();
    assert!(unknown.is_empty(), "give {unknown:?} a place in this test and in docs/architecture.md");
    Ok(())
}

/// The modules of `host/src`, each with the other ones that it names after `crate::`.
fn uses() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src");
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in rust_files(&root)? {
        let module = module_of(file.strip_prefix(&root)?).with_context(|| format!("{}", file.display()))?;
        // The crate itself belongs to no layer.
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&file)?;
        let named = text.split("crate::").skip(1).flat_map(first_names).filter(|used| *used != module);
        uses.entry(module.clone()).or_default().extend(named);
    }
    Ok(uses)
}

/// `policy` of `policy::Source`, and `policy` and `clock` of `{policy, clock}`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.trim().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
    match path.strip_prefix('{') {
        Some(group) => group.split('}').next().into_iter().flat_map(|group| group.split(',')).map(name).collect(),
        None => vec![name(path)],
    }
}

fn module_of(path: &Path) -> Option<String> {
    let first = path.components().next()?.as_os_str().to_str()?;
    Some(first.strip_suffix(".rs").unwrap_or(first).to_owned())
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}
