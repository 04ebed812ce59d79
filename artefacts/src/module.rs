use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};

use crate::Workspace;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "policy";

/// Compiles a package of a workspace into a core module.
pub(crate) fn build(Workspace { root, target_dir }: &Workspace, package: &str) -> Result<Vec<u8>> {
    let root = fs::canonicalize(root).with_context(|| format!("the workspace {}", root.display()))?;
    let status = Command::new(env::var_os("CARGO").context("cargo sets CARGO")?)
        .current_dir(&root)
        // The crate is a plain library for everybody else: only here it becomes a module.
        .args(["rustc", "--package", package, "--lib", "--crate-type", "cdylib", "--locked"])
        .args(["--target", TARGET, "--profile", PROFILE, "--target-dir"])
        .arg(target_dir)
        // What is meant for the host's own build, such as clippy's wrapper, is not for the guest. Empty: not that of the
        // configuration either, whose path would be in the crates' hashes, and so this folder in the bytes.
        .env("RUSTC_WORKSPACE_WRAPPER", "")
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags(&root)?)
        .status()
        .with_context(|| format!("cannot run cargo to build {package}"))?;
    ensure!(status.success(), "{package} does not build for {TARGET}; see above");
    let module = target_dir.join(TARGET).join(PROFILE).join(format!("{}.wasm", package.replace('-', "_")));
    fs::read(&module).with_context(|| format!("cannot read {}", module.display()))
}

/// A stack of 64 KiB. The usual one of 1 MiB lies before everything else: a memory would begin with a mebibyte that
/// is hardly used, and that hosts wipe or map anew for each call.
const STACK: &str = "-Clink-arg=-zstack-size=65536";
/// Enough for a short call: growing is a system call of the host, and another one to take it back.
const MEMORY: &str = "-Clink-arg=--initial-memory=524288";

fn flags(workspace: &Path) -> Result<OsString> {
    let mut flags = without_paths(workspace)?;
    flags.extend([STACK, MEMORY].map(OsString::from));
    Ok(flags.join(&OsString::from("\x1f")))
}

/// The flags with which no path of this machine gets into a module, as the place of a panic.
fn without_paths(workspace: &Path) -> Result<Vec<OsString>> {
    let registries = cargo_home()?.join("registry/src");
    let mut paths = vec![workspace.to_owned()];
    if registries.is_dir() {
        for registry in fs::read_dir(&registries)? {
            paths.push(registry?.path());
        }
    }
    Ok(paths.iter().map(|path| remap(path)).collect())
}

fn remap(path: &Path) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(path);
    flag.push("=.");
    flag
}

fn cargo_home() -> Result<PathBuf> {
    let default = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(default).context("CARGO_HOME is not set")
}
