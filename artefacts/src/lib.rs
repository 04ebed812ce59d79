//! Builds the WebAssembly components of this project: for the host's build script, for `cargo xtask` and
//! for tests.
//!
//! The same sources and the same toolchain give the same bytes, wherever they lie.

mod component;
mod composition;
mod module;

use std::path::Path;

use anyhow::Result;

use component::Identity;

/// The policy component.
///
/// `target_dir` is where its parts are compiled. It must not be the target directory of a cargo that is
/// waiting for this function: that one is locked.
///
/// # Errors
/// If it does not build.
pub fn policy(target_dir: &Path) -> Result<Vec<u8>> {
    let module = module::build("backup-policy", target_dir)?;
    let identity = Identity {
        name: "optimize-backup-policy",
        description: "Decides about backups of Camunda Optimize: names, parts, index selection, states",
    };
    component::encode(&module, &identity)
}

/// A policy for tests, which passes the self-test and misbehaves in production. `target_dir` is as above.
///
/// # Errors
/// If it does not build.
pub fn hostile_policy(target_dir: &Path) -> Result<Vec<u8>> {
    let module = module::build("backup-hostile-policy", target_dir)?;
    let identity = Identity { name: "backup-hostile-policy", description: "Does what no policy should" };
    component::encode(&module, &identity)
}

/// The complete actuator for any host of `wasi:http`: this policy, as it is, between the two adapters of
/// `guest/wasi-http`.
///
/// # Errors
/// If it does not build, or the policy is not one.
pub fn actuator(policy: &[u8], target_dir: &Path) -> Result<Vec<u8>> {
    let engine = adapter("backup-wasi-engine", "The engine of backups over wasi:http", target_dir)?;
    let actuator = adapter("backup-wasi-actuator", "The API of backups over wasi:http", target_dir)?;
    let identity = Identity {
        name: "optimize-backup",
        description: "Backups of Camunda Optimize on Elasticsearch and OpenSearch, for any host of wasi:http",
    };
    component::introduce(&composition::compose(&engine, policy, &actuator)?, &identity)
}

fn adapter(package: &'static str, description: &'static str, target_dir: &Path) -> Result<Vec<u8>> {
    component::encode(&module::build(package, target_dir)?, &Identity { name: package, description })
}
