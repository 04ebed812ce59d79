//! Builds the policy component that the binary embeds, so that no other step comes first.

use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context, Result};
use backup_artefacts::Workspace;

fn main() -> Result<()> {
    for input in ["../wit", "../guest", "../Cargo.toml", "../Cargo.lock", "../rust-toolchain.toml"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    // A directory of its own: a target directory can be locked only once.
    fs::write(out.join("policy.wasm"), Workspace::here(&out.join("guest")).policy()?)?;
    Ok(())
}
