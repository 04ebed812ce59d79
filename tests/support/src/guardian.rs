//! A folder and a process that end with this process, even after SIGKILL.
//!
//! Destructors do not run after SIGKILL, so the cleaning is another process's work: a small shell in
//! a process group of its own, which reads a pipe that only we hold open. The kernel closes it
//! together with us; the shell then kills the group it was told of and removes the folder.
//!
//! `setpriv --pdeathsig` and a temporary folder would be shorter, but macOS has no such signal, it reaches only the process
//! itself and not its children (an engine is started by a launcher), and the folder of a killed test, often in memory,
//! would stay.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use uuid::Uuid;

use crate::wait::poll_until;

const SHELL: &str = "/bin/sh";

/// Each line names the process group to kill at the end; an empty one, that there is none. The folder
/// may resist for a moment: what a process was just writing is still written after a SIGKILL.
const GUARD: &str = r#"
trap '' HUP INT TERM
group=
while read -r line; do group=$line; done
[ -z "$group" ] || kill -s KILL -- "-$group"
tries=100
until rm -rf -- "$1" || [ "$tries" -eq 0 ]; do
  sleep 0.05
  tries=$((tries - 1))
done
"#;

/// Holds a program back until the guard knows its process group.
const GATE: &str = r#"read -r go && exec "$@" </dev/null"#;

const KILL: &str = r#"kill -s "$1" -- "-$2""#;

/// An engine or a host that was asked to end takes seconds, on a busy machine many.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// What a process group can be told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    /// End in order.
    Terminate,
    /// End in order, as Ctrl-C asks for it.
    Interrupt,
    /// End at once.
    Kill,
    /// Read its files again.
    HangUp,
    /// Stand still.
    Stop,
    /// Continue after [`Signal::Stop`].
    Continue,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::Interrupt => "INT",
            Self::Kill => "KILL",
            Self::HangUp => "HUP",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// Owns a folder of its own and at most one process at a time.
#[derive(Debug)]
pub(crate) struct Guardian {
    folder: PathBuf,
    guard: Child,
    lifeline: Option<ChildStdin>,
    process: Option<Child>,
    output: PathBuf,
}

impl Guardian {
    /// Makes a fresh folder below `parent`, which only our user can read.
    pub(crate) fn new(parent: &Path, name: &str) -> Result<Self> {
        let folder = parent.join(format!("optimize-backup-{name}-{}", Uuid::new_v4().simple()));
        // The guard comes first: a folder that it does not know of could be left behind.
        let mut guard = Command::new(SHELL)
            .args(["-c", GUARD, "guard"])
            .arg(&folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting the guard shell")?;
        let lifeline = guard.stdin.take();
        let output = folder.join("output");
        let guardian = Self { folder, guard, lifeline, process: None, output };
        DirBuilder::new()
            .mode(0o700)
            .create(&guardian.folder)
            .with_context(|| format!("making {}", guardian.folder.display()))?;
        Ok(guardian)
    }

    /// The folder, which is removed at the end.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command that [`Guardian::start`] can start.
    pub(crate) fn command(program: &Path) -> Command {
        let mut command = Command::new(SHELL);
        command.args(["-c", GATE, "gate"]).arg(program).stdin(Stdio::piped()).process_group(0);
        command
    }

    /// Sends standard output to a file elsewhere, which stays.
    pub(crate) fn keep_output(&mut self, file: &Path) {
        file.clone_into(&mut self.output);
    }

    /// What was written to standard output so far, since the last start.
    pub(crate) fn output(&self) -> Result<String> {
        fs::read_to_string(&self.output).with_context(|| format!("reading {}", self.output.display()))
    }

    /// What was written to standard error so far, since the last start.
    pub(crate) fn errors(&self) -> Result<String> {
        fs::read_to_string(self.error_file()).context("reading standard error")
    }

    /// Starts a [`Guardian::command`] in a process group of its own.
    pub(crate) fn start(&mut self, mut command: Command) -> Result<()> {
        ensure!(self.process.is_none(), "a process is running here already");
        command.stdout(self.locked_output()?).stderr(File::create(self.error_file())?);
        let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let gate = child.stdin.take();
        let group = child.id();
        self.process = Some(child);
        self.watch(Some(group))?;
        gate.context("the gate has no pipe")?.write_all(b"go\n").context("opening the gate")
    }

    /// Sends a signal to the process and its children.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let process = self.process.as_ref().context("no process is running here")?;
        ensure!(signal_group(process.id(), signal.name())?, "{signal:?} reached nobody");
        Ok(())
    }

    /// The most memory that the process has had resident so far, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    /// The memory that the process has resident at the moment, in bytes.
    pub(crate) fn resident_memory(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    /// How many descriptors the process has open.
    pub(crate) fn open_files(&self) -> Result<usize> {
        let process = self.process.as_ref().context("no process is running here")?;
        Ok(fs::read_dir(format!("/proc/{}/fd", process.id())).context("asking Linux")?.count())
    }

    fn memory(&self, line: &str) -> Result<u64> {
        let process = self.process.as_ref().context("no process is running here")?;
        let status = fs::read_to_string(format!("/proc/{}/status", process.id())).context("asking Linux")?;
        let value = status.lines().find_map(|found| found.strip_prefix(line)?.trim().strip_suffix(" kB"));
        let kibibytes: u64 = value.context("Linux does not tell this size of memory")?.parse()?;
        Ok(kibibytes << 10)
    }

    /// How the process ended, if it has.
    pub(crate) fn exited(&mut self) -> Result<Option<ExitStatus>> {
        let Some(process) = self.process.as_mut() else { bail!("no process is running here") };
        let Some(status) = process.try_wait()? else { return Ok(None) };
        signal_group(process.id(), Signal::Kill.name())?;
        self.process = None;
        self.watch(None)?;
        Ok(Some(status))
    }

    /// Sends a signal and waits until the process and its children are gone.
    pub(crate) async fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.signal(signal)?;
        let status = poll_until("the process to end", END_TIMEOUT, async || self.exited()).await?;
        poll_until("its children to end", END_TIMEOUT, async || Ok(is_unlocked(&self.output)?.then_some(()))).await?;
        Ok(status)
    }

    fn error_file(&self) -> PathBuf {
        self.folder.join("errors")
    }

    /// Standard output comes with a lock that the process hands on to its children.
    ///
    /// The lock is free when the last of them has ended. Asking for the group instead would find
    /// zombies too, and those of a container without an init stay for ever.
    fn locked_output(&self) -> Result<File> {
        let file = File::create(&self.output).with_context(|| format!("making {}", self.output.display()))?;
        file.try_lock().with_context(|| format!("locking {}", self.output.display()))?;
        Ok(file)
    }

    fn watch(&mut self, group: Option<u32>) -> Result<()> {
        let line = group.map(|group| group.to_string()).unwrap_or_default();
        let lifeline = self.lifeline.as_mut().context("the guard has no pipe")?;
        writeln!(lifeline, "{line}").context("telling the guard")
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // The guard does the same work as after a SIGKILL, so each test tries that.
        drop(self.lifeline.take());
        if let Some(process) = self.process.as_mut() {
            // In case somebody has killed the guard: the wait must end.
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = self.guard.wait();
    }
}

fn is_unlocked(file: &Path) -> Result<bool> {
    match File::open(file)?.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error).context("looking at the lock"),
    }
}

/// Whether anybody of the group was there to get the signal.
fn signal_group(group: u32, signal: &str) -> Result<bool> {
    let status = Command::new(SHELL)
        .args(["-c", KILL, "kill", signal, &group.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("running kill")?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use anyhow::Result;

    use super::{Guardian, is_unlocked};
    use crate::wait::poll_until;

    const TIMEOUT: Duration = Duration::from_secs(20);
    const ROLE: &str = "GUARDIAN_TEST_FOLDER";

    /// Starts itself once more, as the process that is killed.
    #[tokio::test]
    async fn nothing_survives_a_kill() -> Result<()> {
        if let Some(folder) = std::env::var_os(ROLE) {
            return hold(Path::new(&folder)).await;
        }
        let parent = Guardian::new(&std::env::temp_dir(), "test")?;
        let folder = parent.folder();
        let mut victim = Command::new(std::env::current_exe()?)
            .args(["--exact", "guardian::tests::nothing_survives_a_kill"])
            .env(ROLE, folder)
            .stdout(Stdio::null())
            .spawn()?;
        let output = folder.join("output");
        poll_until("the victim's process", TIMEOUT, async || Ok(says_ready(&output).then_some(()))).await?;
        assert!(!is_unlocked(&output)?);
        victim.kill()?;
        victim.wait()?;
        poll_until("the process to end", TIMEOUT, async || Ok(is_unlocked(&output)?.then_some(()))).await?;
        // The output is what the victim wanted to stay.
        poll_until("the folder to go", TIMEOUT, async || Ok((folder.read_dir()?.count() == 1).then_some(()))).await
    }

    #[tokio::test]
    async fn a_process_that_ended_tells_how() -> Result<()> {
        let mut guardian = Guardian::new(&std::env::temp_dir(), "test")?;
        let mut command = Guardian::command(Path::new("/bin/sh"));
        command.args(["-c", "exit 7"]);
        guardian.start(command)?;
        let status = poll_until("the end", TIMEOUT, async || guardian.exited()).await?;
        assert_eq!(status.code(), Some(7));
        let folder = guardian.folder().to_owned();
        drop(guardian);
        assert!(!folder.exists());
        Ok(())
    }

    async fn hold(parent: &Path) -> Result<()> {
        let mut guardian = Guardian::new(parent, "victim")?;
        let mut command = Guardian::command(Path::new("/bin/sh"));
        command.args(["-c", "trap '' TERM; echo ready; sleep 600 & wait"]);
        guardian.keep_output(&parent.join("output"));
        guardian.start(command)?;
        // Not for ever, in case that the test has failed and nobody kills this process.
        tokio::time::sleep(2 * TIMEOUT).await;
        Ok(())
    }

    fn says_ready(output: &Path) -> bool {
        std::fs::read_to_string(output).is_ok_and(|text| text == "ready\n")
    }
}
