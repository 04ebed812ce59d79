//! What is under `deploy/`, checked by the tools of those who use it. `cargo xtask matrix --column deploy` runs this.

mod chart;
mod container;
mod openapi;
mod pod;
mod prometheus;
mod systemd;
mod tools;

use std::path::{Path, PathBuf};

/// A path of this repository.
fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
