//! Builds the policy component that the binary embeds, so that no other step comes first.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use wasm_encoder::{ComponentNameSection, ComponentSection, CustomSection};
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "policy";

fn main() -> Result<()> {
    for input in ["../wit", "../guest", "../Cargo.toml", "../Cargo.lock", "../rust-toolchain.toml"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let module = fs::read(build_module(&out.join("guest"))?)?;
    let mut component = ComponentEncoder::default().validate(true).module(&module)?.encode()?;
    introduce(&mut component);
    fs::write(out.join("policy.wasm"), component)?;
    Ok(())
}

/// Writes into the component who it is: the sections that `wasm-tools metadata` reads, too.
fn introduce(component: &mut Vec<u8>) {
    let mut names = ComponentNameSection::new();
    names.component("optimize-backup-policy");
    names.append_to_component(component);
    let version = env!("CARGO_PKG_VERSION").as_bytes().into();
    CustomSection { name: "version".into(), data: version }.append_to_component(component);
}

/// Compiles the policy with a cargo of its own: a target directory can be locked only once.
fn build_module(target_dir: &Path) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").context("cargo sets CARGO")?;
    let status = Command::new(cargo)
        // The crate is a plain library for everybody else: only here it becomes a module.
        .args(["rustc", "--package", "backup-policy", "--lib", "--crate-type", "cdylib", "--locked"])
        .args(["--target", TARGET, "--profile", PROFILE, "--target-dir"])
        .arg(target_dir)
        // What is meant for the host's own build, such as clippy's wrapper, is not for the guest.
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .context("cannot run cargo to build the policy")?;
    ensure!(
        status.success(),
        "the policy does not build; if its target is missing, install it: rustup target add {TARGET}"
    );
    Ok(target_dir.join(TARGET).join(PROFILE).join("backup_policy.wasm"))
}
