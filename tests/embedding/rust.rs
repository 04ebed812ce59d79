//! `examples/rust`: Wasmtime.

use anyhow::Result;

use crate::example::{Example, sources};
use crate::python;
use crate::world::World;

fn example(world: &World) -> Example {
    let program = env!("CARGO_BIN_EXE_example-rust").into();
    Example { folder: sources("rust"), program, arguments: vec![world.policy().into()] }
}

#[tokio::test]
async fn the_rust_example_makes_backups() -> Result<()> {
    let world = World::new().await?;
    world.try_out(&example(&world)).await
}

#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn a_backup_that_was_begun_in_rust_is_finished_in_python() -> Result<()> {
    let world = World::slow().await?;
    world.hand_over(&example(&world), &python::example(&world)?).await
}
