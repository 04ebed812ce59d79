//! What a column does.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backup_test_support::matrix::{Column, Selection, Work};
use tokio::process::Command;

use crate::{ROOT, dist, soak};

/// How long all fuzz targets have together.
const FUZZING: Duration = Duration::from_secs(600);
/// The same for a column among the others of a check.
const FUZZING_ROTATED: Duration = Duration::from_secs(60);

pub(super) async fn run(column: Column, rotated: bool) -> Result<()> {
    match column.work {
        Work::DefaultTests => cargo_test(&[]).await,
        Work::Ignored(selections) => {
            // All of them, also after one has failed.
            let mut outcome = Ok(());
            for selection in selections {
                outcome = outcome.and(ignored(selection).await);
            }
            outcome
        }
        Work::Kills(selection) => soak::kill_once(selection.filters).await,
        Work::Published => published().await,
        Work::Fuzz => soak::fuzz(if rotated { FUZZING_ROTATED } else { FUZZING }).await,
    }
}

async fn ignored(selection: &Selection) -> Result<()> {
    cargo_test(&[&["--test", selection.binary, "--", "--ignored"], selection.filters].concat()).await
}

async fn cargo_test(arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--workspace"]).args(arguments).current_dir(ROOT).kill_on_drop(true);
    let status = cargo.status().await?;
    ensure!(status.success(), "cargo test --workspace {}: {status}", arguments.join(" "));
    Ok(())
}

/// Builds what is published, twice, and checks the sums as its users do.
async fn published() -> Result<()> {
    tokio::task::spawn_blocking(|| dist::run(&dist::Options::twice())).await??;
    let folder = Path::new(ROOT).join(dist::FOLDER);
    let mut check = Command::new("sha256sum");
    let status = check.args(["--check", "SHA256SUMS"]).current_dir(folder).status().await;
    ensure!(status.context("sha256sum does not run")?.success(), "the sums of what is published are not right");
    Ok(())
}
