//! What a machine lacks is told before anything is compiled.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What the script itself uses.
const BASICS: [&str; 8] = ["bash", "env", "grep", "head", "ps", "sed", "touch", "tr"];

/// A machine with these tools and no others.
struct Machine {
    path: TempDir,
    target: TempDir,
}

impl Machine {
    fn with(tools: &[&str]) -> Result<Self> {
        let machine = Self { path: TempDir::new()?, target: TempDir::new()? };
        for tool in BASICS.iter().chain(tools) {
            if let Some(found) = find(tool) {
                symlink(found, machine.path.path().join(tool))?;
            }
        }
        Ok(machine)
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Output> {
        let cargo = std::env::var_os("CARGO").context("cargo sets CARGO")?;
        let rustc = Path::new(&cargo).with_file_name("rustc");
        let mut command = Command::new(&cargo);
        command.args(arguments).arg("--offline").current_dir(ROOT);
        // An empty target folder: nothing is remembered, and whatever is compiled would be seen.
        command.env("PATH", self.path.path()).env("RUSTC", rustc).env("CARGO_TARGET_DIR", self.target.path());
        command.env_remove("JAVA_HOME").env_remove("CC").env_remove("RUSTC_WORKSPACE_WRAPPER");
        Ok(command.output()?)
    }
}

fn find(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.is_file())
}

fn assert_refused(output: &Output, missing: &[&str]) -> Result<()> {
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "it continued:\n{told}");
    for tool in missing {
        ensure!(told.contains(&format!("\n  - {tool}")), "it does not name {tool}:\n{told}");
    }
    let named = told.matches("\n  - ").count();
    ensure!(named == missing.len(), "it names {named} things instead of {missing:?}:\n{told}");
    ensure!(!told.contains("Compiling"), "it compiled something first:\n{told}");
    Ok(())
}

#[test]
fn both_commands_tell_that_maven_is_missing() -> Result<()> {
    let machine = Machine::with(&["cc", "java"])?;
    // The second time as well: cargo remembers what it was told.
    for arguments in [&["test", "--workspace"][..], &["xtask", "demo"], &["test", "--workspace"]] {
        assert_refused(&machine.cargo(arguments)?, &["Maven (mvn"])?;
    }
    Ok(())
}

#[test]
fn everything_that_is_missing_is_told_at_once() -> Result<()> {
    let machine = Machine::with(&[])?;
    assert_refused(&machine.cargo(&["test"])?, &["a C compiler (cc)", "a JDK, version 17", "Maven (mvn"])
}

#[test]
fn a_build_needs_no_java() -> Result<()> {
    let machine = Machine::with(&[])?;
    assert_refused(&machine.cargo(&["build"])?, &["a C compiler (cc)"])
}
