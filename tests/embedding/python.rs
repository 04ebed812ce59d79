//! `examples/python`: wasmtime-py.

use std::path::PathBuf;

use anyhow::Result;
use backup_test_support::programs::python_environment;

use crate::example::{Example, sources};
use crate::fixture::Fixture;

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
    Ok(python_environment(&sources("python").join("requirements.txt"), "example-python")?.join("python"))
}
