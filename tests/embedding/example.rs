//! Running programs.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
