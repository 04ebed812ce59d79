//! Running programs.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

/// An example that is ready to run.
pub(crate) struct Example {
    /// Where it is run.
    pub(crate) folder: PathBuf,
    /// The program.
    pub(crate) program: PathBuf,
    /// What comes before the command.
    pub(crate) arguments: Vec<OsString>,
}

impl Example {
    /// Runs a command; what it prints.
    pub(crate) fn succeed(&self, command: &[&str], settings: &[(&str, &str)]) -> Result<String> {
        let output = self.run(command, settings)?;
        ensure!(output.status.success(), "{command:?} ended with {}: {}", output.status, text(&output.stderr));
        Ok(text(&output.stdout))
    }

    /// Runs a command that fails; what it complains of.
    pub(crate) fn fail(&self, command: &[&str], settings: &[(&str, &str)]) -> Result<String> {
        let output = self.run(command, settings)?;
        ensure!(output.status.code() == Some(1), "{command:?} ended with {}", output.status);
        Ok(text(&output.stderr))
    }

    /// Runs a command until it has printed its first line, and kills it then; that line.
    pub(crate) fn kill_after_a_line(&self, command: &[&str], settings: &[(&str, &str)]) -> Result<String> {
        let mut program = self.command(command, settings).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(program.stdout.take().context("its output")?).read_line(&mut line)?;
        program.kill()?;
        ensure!(!program.wait()?.success(), "{command:?} ended before it was killed");
        Ok(line)
    }

    fn run(&self, command: &[&str], settings: &[(&str, &str)]) -> Result<Output> {
        let output = self.command(command, settings).output();
        output.with_context(|| format!("{} does not run", self.program.display()))
    }

    fn command(&self, command: &[&str], settings: &[(&str, &str)]) -> Command {
        let mut program = Command::new(&self.program);
        program.current_dir(&self.folder).args(&self.arguments).args(command).envs(settings.iter().copied());
        program
    }
}

/// The folder of an example in the sources.
pub(crate) fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(name)
}

/// A folder that stays from one run of the tests to the next, for what is installed from a registry.
pub(crate) fn workshop(name: &str) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedding").join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs a program of the system to its end. `advice` is for those who do not have it.
pub(crate) fn call<S: AsRef<OsStr>>(program: &str, arguments: &[S], folder: &Path, advice: &str) -> Result<()> {
    let output = match Command::new(program).args(arguments).current_dir(folder).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(error).context(format!("{program} is missing: {advice}"));
        }
        output => output.with_context(|| format!("{program} does not run"))?,
    };
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    ensure!(output.status.success(), "{program} ended with {}, {advice}:\n{said}\n{complained}", output.status);
    Ok(())
}

/// Does `install` if the lock file is another one than the last time.
pub(crate) fn unless_installed(lock: &Path, folder: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join("installed");
    let wanted = fs::read(lock).with_context(|| format!("reading {}", lock.display()))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    Ok(fs::write(stamp, wanted)?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
