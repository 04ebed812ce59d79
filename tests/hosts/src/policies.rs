//! Policies that pass the admission.

use std::sync::LazyLock;

use anyhow::Result;
use backup_artefacts::Workspace;
pub use backup_hostile_policy::ids;
use optimize_backup::sandbox::EMBEDDED;
use wasm_encoder::{ComponentSection, CustomSection};

/// The embedded policy with another version of its own, and so with another digest.
#[must_use]
pub fn embedded_as(version: &str) -> Vec<u8> {
    let mut component = EMBEDDED.to_vec();
    CustomSection { name: "version".into(), data: version.as_bytes().into() }.append_to_component(&mut component);
    component
}

/// The embedded policy in a later version. Compiling it takes time, so tests share it where they can.
pub static LATER: LazyLock<Vec<u8>> = LazyLock::new(|| embedded_as("7.0.0"));

/// Builds the policy in `tests/fixtures/hostile`, which passes the self-test and misbehaves in production.
///
/// # Errors
/// If it does not build.
pub fn hostile() -> Result<Vec<u8>> {
    Workspace::here(&crate::folder("guest")?).hostile_policy()
}
