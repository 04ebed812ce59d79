//! Hosts of components that are not ours, each with the composed actuator.
//!
//! A scenario does not know who serves: [`options`] has it served by whatever it runs in.

mod comparison;

use std::path::PathBuf;

use anyhow::{Context, Result};
use backup_test_hosts::{jco, wasmtime};
use backup_test_support::host::{HostOptions, Serve};
use backup_test_support::journal::Journal;

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

/// Whether the scenario runs in the host of this project, which shows its runs in the health.
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
