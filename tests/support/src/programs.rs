//! Programs of the system, and what they install from package registries.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::target::target_folder;

/// A folder that stays from one run of the tests to the next, for what is installed from a registry.
///
/// # Errors
/// It cannot be made.
pub fn workshop(name: &str) -> Result<PathBuf> {
    let target = target_folder().context("this program is not in cargo's target folder")?;
    let folder = target.join("workshop").join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs a program to its end; what it prints. `advice` is for those who do not have it.
///
/// # Errors
/// It is missing, or ends badly.
pub fn call<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: &[S],
    folder: &Path,
    advice: &str,
) -> Result<String> {
    let name = program.as_ref().to_string_lossy();
    let output = match Command::new(&program).args(arguments).current_dir(folder).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(error).context(format!("{name} is missing: {advice}"));
        }
        output => output.with_context(|| format!("{name} does not run"))?,
    };
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    ensure!(output.status.success(), "{name} ended with {}, {advice}:\n{said}\n{complained}", output.status);
    Ok(said)
}

/// Does `install` if the lock file is another one than the last time.
///
/// # Errors
/// The lock file cannot be read, or `install` fails.
pub fn unless_installed(lock: &Path, folder: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join("installed");
    let wanted = fs::read(lock).with_context(|| format!("reading {}", lock.display()))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    Ok(fs::write(stamp, wanted)?)
}

/// Makes a Python environment of what a file with hashes requires; its folder with programs.
///
/// # Errors
/// There is no Python, or it installs nothing.
pub fn python_environment(requirements: &Path, name: &str) -> Result<PathBuf> {
    const ADVICE: &str = "install Python 3.10 or newer with venv (packages python3 and python3-venv)";
    // Tests that run side by side want it; one installs.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let workshop = workshop(name)?;
    let programs = workshop.join("venv/bin");
    unless_installed(requirements, &workshop, || {
        call("python3", &["-m", "venv", "--clear", "venv"], &workshop, ADVICE)?;
        let install: [&OsStr; 4] =
            ["install".as_ref(), "--require-hashes".as_ref(), "--requirement".as_ref(), requirements.as_ref()];
        call(programs.join("pip"), &install, &workshop, ADVICE).map(drop)
    })?;
    Ok(programs)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
