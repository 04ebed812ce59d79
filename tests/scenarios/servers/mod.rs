//! Hosts of components that are not ours, each with the composed actuator.
//!
//! A scenario does not know who serves: [`options`] has it served by whatever it runs in.

mod comparison;
mod jco;
mod wasmtime;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use backup_artefacts::Workspace;
use backup_test_support::host::{HostOptions, Serve};
use backup_test_support::journal::Journal;
use optimize_backup::policy::EMBEDDED;
use tokio::sync::OnceCell;

tokio::task_local! {
    static SERVER: (Serve, Journal);
}

/// Runs a scenario in the crates that `wasmtime serve` is made of.
pub(crate) async fn wasmtime(scenario: impl Future<Output = Result<()>>) -> Result<()> {
    run(wasmtime::serve, scenario).await
}

/// Runs a scenario in what `jco serve` makes of the component, on Node with V8.
pub(crate) async fn jco_on_node(scenario: impl Future<Output = Result<()>>) -> Result<()> {
    run(jco::on_node, scenario).await
}

/// The same on Bun with JavaScriptCore.
pub(crate) async fn jco_on_bun(scenario: impl Future<Output = Result<()>>) -> Result<()> {
    run(jco::on_bun, scenario).await
}

/// Runs a scenario, and then compares the answers with those of the host of this project.
async fn run(serve: Serve, scenario: impl Future<Output = Result<()>>) -> Result<()> {
    let journal = Journal::default();
    SERVER.scope((serve, journal.clone()), scenario).await?;
    comparison::compare(serve, &journal).await.context("comparing with the native host")
}

/// Whether the scenario runs in the host of this project, which remembers its runs and tells of them.
pub(crate) fn is_native() -> bool {
    SERVER.try_with(|_| ()).is_err()
}

/// A host without settings: this project's, or the one that the scenario runs in.
pub(crate) fn options() -> HostOptions {
    match SERVER.try_with(Clone::clone) {
        Ok((serve, journal)) => HostOptions::of_other(serve, journal),
        Err(_native) => native_options(),
    }
}

fn native_options() -> HostOptions {
    HostOptions::new(PathBuf::from(env!("CARGO_BIN_EXE_optimize-backup")))
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
