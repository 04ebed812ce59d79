//! `examples/python`: wasmtime-py.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use crate::example::{Example, call, sources, unless_installed, workshop};
use crate::fixture::Fixture;

const ADVICE: &str = "install Python 3.10 or newer with venv (packages python3 and python3-venv)";

pub(crate) fn example(fixture: &Fixture) -> Result<Example> {
    let arguments = vec!["backup.py".into(), fixture.policy().into()];
    Ok(Example { folder: sources("python"), program: python()?, arguments })
}

#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn the_python_example_makes_backups() -> Result<()> {
    let fixture = Fixture::new().await?;
    fixture.try_out(&example(&fixture)?).await
}

/// A Python with what the example requires.
fn python() -> Result<PathBuf> {
    // Two tests want it; one installs.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let (sources, workshop) = (sources("python"), workshop("python")?);
    let venv = workshop.join("venv");
    unless_installed(&sources.join("requirements.txt"), &workshop, || {
        let make: [&OsStr; 4] = ["-m".as_ref(), "venv".as_ref(), "--clear".as_ref(), venv.as_os_str()];
        call("python3", &make, &sources, ADVICE)?;
        let pip = venv.join("bin/pip").to_string_lossy().into_owned();
        call(&pip, &["install", "--require-hashes", "--requirement", "requirements.txt"], &sources, ADVICE)
    })?;
    Ok(venv.join("bin/python"))
}
