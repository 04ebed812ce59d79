//! `examples/node`: jco.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use backup_test_support::programs::{call, unless_installed, workshop};

use crate::example::{Example, sources};
use crate::fixture::Fixture;

const ADVICE: &str = "install Node.js 20 or newer with npm (packages nodejs and npm)";

#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn the_node_example_makes_backups() -> Result<()> {
    let fixture = Fixture::new().await?;
    let folder = installed()?;
    let policy = fixture.policy();
    let transpile: [&OsStr; 3] = ["run".as_ref(), "transpile".as_ref(), policy.as_os_str()];
    call("npm", &transpile, &folder, ADVICE)?;
    let example = Example { folder, program: "node".into(), arguments: vec!["backup.js".into()] };
    fixture.try_out(&example).await
}

/// A copy of the example with its dependencies: npm would put them among the sources.
fn installed() -> Result<PathBuf> {
    let (sources, workshop) = (sources("node"), workshop("example-node")?);
    copy_files(&sources, &workshop)?;
    let install = || call("npm", &["ci"], &workshop, ADVICE).map(drop);
    unless_installed(&sources.join("package-lock.json"), &workshop, install)?;
    Ok(workshop)
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    for entry in from.read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
