//! Hosts of components that are not ours, each with the composed actuator.
//!
//! A scenario does not know who serves: [`options`] has it served by whatever it runs in.

mod jco;
mod wasmtime;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use backup_artefacts::Workspace;
use backup_test_support::host::{HostOptions, Serve};
use optimize_backup::policy::EMBEDDED;
use tokio::sync::OnceCell;

tokio::task_local! {
    static SERVER: Option<Serve>;
}

/// Runs a scenario in the host of this project.
pub(crate) async fn native<T>(scenario: impl Future<Output = T>) -> T {
    SERVER.scope(None, scenario).await
}

/// Runs a scenario in the crates that `wasmtime serve` is made of.
pub(crate) async fn wasmtime(scenario: impl Future<Output = Result<()>>) -> Result<()> {
    SERVER.scope(Some(wasmtime::serve), scenario).await
}

/// Runs a scenario in `jco serve`, whose output runs on Node with V8.
pub(crate) async fn jco_on_node(scenario: impl Future<Output = Result<()>>) -> Result<()> {
    SERVER.scope(Some(jco::on_node), scenario).await
}

/// A host without settings: this project's, or the one that the scenario runs in.
pub(crate) fn options() -> HostOptions {
    match SERVER.try_with(|serve| *serve).ok().flatten() {
        Some(serve) => HostOptions::of_other(serve),
        None => HostOptions::new(PathBuf::from(env!("CARGO_BIN_EXE_optimize-backup"))),
    }
}

/// The policy of this host between the two adapters: the file, built once a run.
async fn actuator() -> Result<&'static Path> {
    static ACTUATOR: OnceCell<PathBuf> = OnceCell::const_new();
    ACTUATOR.get_or_try_init(async || tokio::task::spawn_blocking(build).await?).await.map(PathBuf::as_path)
}

fn build() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("actuator.wasm");
    let component = Workspace::here(&folder.join("guest")).actuator(EMBEDDED).context("building the actuator")?;
    std::fs::write(&file, component)?;
    Ok(file)
}
