//! Cargo compiles a crate once for each set of features that it is needed with. Here all of them need it with the same.

#![allow(clippy::indexing_slicing, reason = "a missing member of a JSON value is null")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What a command would compile of crates from elsewhere: each crate, and how.
fn units(arguments: &[&str]) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let cargo = std::env::var_os("CARGO").context("cargo sets CARGO")?;
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--unit-graph", "-Z", "unstable-options"])
        // Only nightly's cargo shows the graph, unless it is told to.
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let graph: Value = serde_json::from_slice(&output.stdout)?;
    let mut units: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for unit in graph["units"].as_array().context("units")? {
        let package = unit["pkg_id"].as_str().context("pkg_id")?;
        if unit["mode"] == "build" && package.starts_with("registry+") {
            let how = format!(
                "{} with {}, optimised to {}",
                unit["target"]["kind"], unit["features"], unit["profile"]["opt_level"]
            );
            units.entry(package.to_owned()).or_default().insert(how);
        }
    }
    Ok(units)
}

const TEST: [&str; 3] = ["test", "--workspace", "--no-run"];

#[test]
fn no_crate_is_compiled_again_for_build_scripts() -> Result<()> {
    let libraries = |sets: &BTreeSet<String>| sets.iter().filter(|how| !how.contains("custom-build")).count();
    let mut units = units(&TEST)?;
    units.retain(|_, sets| libraries(sets) > 1);
    assert!(units.is_empty(), "name the features that differ in host/compiler/Cargo.toml: {units:#?}");
    Ok(())
}

#[test]
fn no_crate_is_compiled_again_for_xtask_and_the_demo() -> Result<()> {
    let tests = units(&TEST)?;
    for other in [&["build", "--bin", "xtask"][..], &["build", "--workspace", "--bin", "optimize-backup", "--examples"]]
    {
        let again: Vec<_> = units(other)?
            .into_iter()
            .filter(|(name, sets)| !tests.get(name).is_some_and(|known| sets.is_subset(known)))
            .collect();
        assert!(again.is_empty(), "name the features that the tests add in tests/support/Cargo.toml: {again:#?}");
    }
    Ok(())
}
