//! Hosts for tests and benches: this project's host within the process ([`TestHost`]), and hosts of `wasi:http`
//! components that others make ([`wasmtime`], [`jco`]), which serve the composed actuator.

mod actuator;
pub mod jco;
pub mod policies;
mod test_host;
pub mod wasmtime;

use std::path::PathBuf;

use anyhow::{Context, Result};

pub use self::test_host::{MAX_BYTES, MAX_FAILURES, Options, TOKEN, TestHost, candidate, settings};

/// A folder of this build, for what is made once and kept.
fn folder(name: &str) -> Result<PathBuf> {
    let target = backup_test_support::target_folder().context("the running program is not in cargo's target folder")?;
    Ok(target.join(name))
}
