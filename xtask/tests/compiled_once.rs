//! Cargo compiles a crate once for each set of features that it is needed with. Here all of them need it with the same.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, ensure};

const WORKSPACE: &str = "--workspace";

/// The crates that these packages have as these kinds of dependencies, each with its features.
fn crates(packages: &str, edges: &str) -> Result<BTreeSet<(String, String)>> {
    let cargo = std::env::var_os("CARGO").context("cargo sets CARGO")?;
    let output = Command::new(cargo)
        .args(["tree", packages, "--edges", edges, "--prefix", "none", "--format", "{p}|{f}"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let lines = text.lines().map(|line| line.trim_end_matches(" (*)"));
    Ok(lines.filter_map(|line| line.split_once('|')).map(|(name, features)| (name.into(), features.into())).collect())
}

#[test]
fn no_crate_is_compiled_again_for_build_scripts() -> Result<()> {
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, set) in crates(WORKSPACE, "normal,build,dev")? {
        features.entry(name).or_default().insert(set);
    }
    features.retain(|_, sets| sets.len() > 1);
    assert!(features.is_empty(), "name the features that differ in host/compiler/Cargo.toml: {features:#?}");
    Ok(())
}

#[test]
fn no_crate_is_compiled_again_for_xtask() -> Result<()> {
    let tests = crates(WORKSPACE, "normal,build,dev")?;
    let without_tests = crates(WORKSPACE, "normal,build")?;
    let of_xtask: BTreeSet<String> =
        crates("--package=xtask", "normal,build")?.into_iter().map(|(name, _)| name).collect();
    let again: Vec<_> = without_tests.difference(&tests).filter(|(name, _)| of_xtask.contains(name)).collect();
    assert!(again.is_empty(), "name the features that the tests add in tests/support/Cargo.toml: {again:#?}");
    Ok(())
}
