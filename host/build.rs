//! Builds the policy component that the binary embeds, and compiles it into machine code, so that no other step
//! comes first and a start takes no time to compile.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use backup_artefacts::Workspace;

fn main() -> Result<()> {
    for input in ["../wit", "../guest", "../Cargo.toml", "../Cargo.lock", "../rust-toolchain.toml"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(variable("OUT_DIR")?);
    let policy = Workspace::here(&guest_folder(&out)?).policy()?;
    fs::write(out.join("policy.cwasm"), machine_code(&policy)?)?;
    fs::write(out.join("policy.wasm"), policy)?;
    Ok(())
}

/// The machine code for any processor of the target's architecture. None for another architecture than this
/// machine's: the compiler knows only one, and the host then compiles at its start.
fn machine_code(policy: &[u8]) -> Result<Vec<u8>> {
    let (host, target) = (variable("HOST")?, variable("TARGET")?);
    if architecture(&host) != architecture(&target) {
        return Ok(Vec::new());
    }
    backup_compiler::compile_for(&target, policy)
        .map_err(|error| anyhow::anyhow!("the policy does not compile: {error:?}"))
}

fn architecture(triple: &str) -> Option<&str> {
    triple.split('-').next()
}

/// Where everything for WebAssembly is compiled, tests and `cargo xtask dist` included. Not cargo's own folder: that one
/// is locked while this script runs.
fn guest_folder(out: &Path) -> Result<PathBuf> {
    // target/<profile>/build/<package>/out
    let target = out.ancestors().nth(4).context("OUT_DIR is not in a target folder")?;
    Ok(target.join("guest"))
}

fn variable(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("cargo sets {name}"))
}
