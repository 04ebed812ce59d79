//! The policy of this host between the two adapters of `guest/wasi-http`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use backup_artefacts::Workspace;
use optimize_backup::sandbox::EMBEDDED;
use tokio::sync::OnceCell;

/// The file, built once a run.
pub(crate) async fn file() -> Result<&'static Path> {
    static ACTUATOR: OnceCell<PathBuf> = OnceCell::const_new();
    ACTUATOR.get_or_try_init(async || tokio::task::spawn_blocking(build).await?).await.map(PathBuf::as_path)
}

fn build() -> Result<PathBuf> {
    let file = crate::folder("tmp")?.join("actuator.wasm");
    let component = Workspace::here(&crate::folder("guest")?).actuator(EMBEDDED).context("building the actuator")?;
    std::fs::write(&file, component)?;
    Ok(file)
}
