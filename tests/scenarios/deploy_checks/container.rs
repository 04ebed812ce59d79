//! `deploy/Containerfile`. No test builds the image: that needs a container engine.

use std::fs;

use anyhow::{Result, ensure};

use super::root;
use super::tools::{python_tool, run};

const CONTAINERFILE: &str = "deploy/Containerfile";

#[test]
#[ignore = "cargo xtask matrix"]
fn the_linter_finds_nothing() -> Result<()> {
    run(python_tool("hadolint")?, &["--failure-threshold", "style", CONTAINERFILE]).map(drop)
}

#[test]
fn the_image_has_the_toolchain_and_the_version_of_the_project() -> Result<()> {
    let containerfile = fs::read_to_string(root(CONTAINERFILE))?;
    let toolchain = fs::read_to_string(root("rust-toolchain.toml"))?;
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"')).unwrap();
    for line in [
        format!("FROM rust:{channel}-bookworm AS build"),
        format!("ENV RUSTUP_TOOLCHAIN={channel}"),
        format!("ARG VERSION={}", env!("CARGO_PKG_VERSION")),
    ] {
        ensure!(containerfile.lines().any(|found| found == line), "{CONTAINERFILE} lacks the line {line}");
    }
    Ok(())
}
