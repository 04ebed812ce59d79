//! `examples/rust`: Wasmtime.

use anyhow::Result;

use crate::example::{Example, sources};
use crate::fixture::Fixture;
use crate::python;

fn example(fixture: &Fixture) -> Example {
    let program = env!("CARGO_BIN_EXE_example-rust").into();
    Example { folder: sources("rust"), program, arguments: vec![fixture.policy().into()] }
}

#[tokio::test]
async fn the_rust_example_makes_backups() -> Result<()> {
    let fixture = Fixture::new().await?;
    fixture.try_out(&example(&fixture)).await
}

#[tokio::test]
async fn the_rust_example_restores_a_backup() -> Result<()> {
    let fixture = Fixture::new().await?;
    fixture.restore(&example(&fixture)).await
}

#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn a_backup_that_was_begun_in_rust_is_finished_in_python() -> Result<()> {
    let fixture = Fixture::slow().await?;
    fixture.hand_over(&example(&fixture), &python::example(&fixture)?).await
}
