//! What was published keeps working: every version of the WIT package, and a component built for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use backup_test_support::engine::Distribution;
use backup_test_support::host::Host;
use optimize_backup::policy::Digest;
use wit_component::{OutputToString, WitPrinter};
use wit_parser::Resolve;

use crate::fixture::{Fixture, delete, part};
use crate::on_elasticsearch;

on_elasticsearch!(a_component_built_for_any_published_version_makes_a_backup);

/// A folder for each published version, such as `wit-1.0.0`.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
const CURRENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");

fn published() -> Result<Vec<PathBuf>> {
    let folders = fs::read_dir(FIXTURES)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let is_wit = |folder: &Path| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("wit-"));
    Ok(folders.into_iter().filter(|folder| is_wit(folder)).collect())
}

/// A WIT package's version and what it consists of; its comments may still get better.
fn read(folder: &Path) -> Result<(String, String)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder)?;
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.emit_docs(false).print(&resolve, package, &[])?;
    let version = resolve.packages[package].name.version.as_ref().context("a package without a version")?;
    Ok((version.to_string(), printer.output.to_string()))
}

#[test]
fn the_wit_package_is_what_was_published_under_its_version() -> Result<()> {
    let (version, text) = read(CURRENT.as_ref())?;
    let kept = Path::new(FIXTURES).join(format!("wit-{version}"));
    let (_, published) = read(&kept.join("wit")).with_context(|| format!("{version} is not in tests/fixtures"))?;
    assert_eq!(text, published, "{version} is published: docs/embedding.md tells how to make a later one");
    Ok(())
}

async fn a_component_built_for_any_published_version_makes_a_backup(distribution: Distribution) -> Result<()> {
    let published = published()?;
    assert!(!published.is_empty(), "there is nothing in {FIXTURES}");
    for folder in published {
        let component = folder.join("policy.wasm");
        let fixture = Fixture::new(distribution).await?;
        let options = fixture.options().env("CAMUNDA_OPTIMIZE_POLICY_PATH", &component.to_string_lossy());
        let host = Host::start(options).await.with_context(|| folder.display().to_string())?;
        let serving = host.get("/actuator/policy").await?.json()?["serving"].clone();
        assert_eq!(serving["digest"], Digest::of(&fs::read(&component)?).to_string(), "{serving}");

        host.create(1).await?;
        host.wait_for_state(1, "COMPLETE").await?;
        assert_eq!(fixture.repository.snapshots().await?, [part(1, 1), part(1, 2)]);
        delete(&host, 1).await?;
        assert_eq!(fixture.repository.snapshots().await?, <[String; 0]>::default());
    }
    Ok(())
}
