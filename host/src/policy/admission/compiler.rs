//! Compiling in a process of its own, which a hostile component can only bring to its own end.
//!
//! The process is this same program. It limits its own memory and processor time before it reads the
//! first byte, and hands the machine code back through a pipe. That is the only way in which machine code
//! ever comes here: no file of it exists.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use rlimit::Resource;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::sandbox::Compiled;

/// What the compilation of one component may take.
#[derive(Clone, Copy, Debug)]
pub struct CompileLimits {
    /// Processor time, in whole seconds.
    pub time: Duration,
    /// Address space of the process, in bytes.
    pub memory: u64,
}

impl CompileLimits {
    /// 1 GiB of address space: real use is far below it.
    pub const fn within(time: Duration) -> Self {
        Self { time, memory: 1 << 30 }
    }
}

/// Starts the processes.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    limits: CompileLimits,
}

/// Why there is no machine code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    #[error("it was not compiled within {0:?} of processor time, which is what is allowed (policy.compileTime)")]
    OutOfTime(Duration),
    #[error("its compilation came to a sudden end with {status} ({last_words}); allowed are {memory} bytes of memory")]
    Died { status: String, last_words: String, memory: u64 },
    #[error("it cannot be compiled: {0}")]
    Refused(String),
    #[error("the process that compiles cannot be used: {0}")]
    NoProcess(String),
}

/// The process may take this many times its processor time, on a machine that has other work as well.
const WALL_TIME_FACTOR: u32 = 10;

/// The signal that ends a process whose processor time is over.
const CPU_TIME_SIGNAL: i32 = rustix::process::Signal::XCPU.as_raw();

/// What the process's exit status means. Other ones are sudden ends.
const REFUSED: u8 = 3;
const FAILED: u8 = 1;

impl Compiler {
    /// Compiles with this program, within limits.
    pub fn new(limits: CompileLimits) -> Self {
        // The link leads to the file that runs, even where an upgrade has put another one in its place.
        let running = PathBuf::from("/proc/self/exe");
        let program = if running.exists() { running } else { std::env::current_exe().unwrap_or(running) };
        Self::with_program(program, limits)
    }

    /// Compiles with the `optimize-backup` at this place: for tests, which are other programs.
    pub fn with_program(program: PathBuf, limits: CompileLimits) -> Self {
        Self { program, limits }
    }

    /// Compiles a component. To drop this is to kill the process.
    pub async fn compile(&self, component: &[u8]) -> Result<Compiled, CompileError> {
        let ended = tokio::time::timeout(self.limits.time.saturating_mul(WALL_TIME_FACTOR), self.run(component)).await;
        let output = ended
            .map_err(|_elapsed| CompileError::OutOfTime(self.limits.time))?
            .map_err(|error| CompileError::NoProcess(error.to_string()))?;
        match output.status.code() {
            Some(0) => Ok(Compiled::from_own_compiler(output.stdout)),
            Some(code) if code == i32::from(REFUSED) => Err(CompileError::Refused(last_words(&output))),
            None if output.status.signal() == Some(CPU_TIME_SIGNAL) => Err(CompileError::OutOfTime(self.limits.time)),
            _ => Err(CompileError::Died {
                status: output.status.to_string(),
                last_words: last_words(&output),
                memory: self.limits.memory,
            }),
        }
    }

    async fn run(&self, component: &[u8]) -> io::Result<Output> {
        let mut process = Command::new(&self.program)
            .args(self.arguments())
            // Neither the operator's secrets nor anything that changes what the process does.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = process.stdin.take() {
            // A process that ended early tells why by its status.
            let _ = stdin.write_all(component).await;
        }
        process.wait_with_output().await
    }

    fn arguments(&self) -> [OsString; 4] {
        let seconds = self.limits.time.as_secs().max(1);
        ["policy", "compile", &self.limits.memory.to_string(), &seconds.to_string()].map(OsString::from)
    }
}

/// What the process does: a component in, machine code out. Returns its exit status.
pub fn compile_for_parent(memory: u64, seconds: u64) -> u8 {
    match limit(memory, seconds).and_then(|()| compile_stdin()) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            // What the compiler says of a component is one thing, that it had not enough memory another.
            if error.kind() == io::ErrorKind::Other { REFUSED } else { FAILED }
        }
    }
}

fn limit(memory: u64, seconds: u64) -> io::Result<()> {
    Resource::AS.set(memory, memory)?;
    // The first limit is told apart from other ends, the second is for who does not heed it.
    Resource::CPU.set(seconds, seconds.saturating_add(1))?;
    // What it compiles is not for a file system.
    Resource::CORE.set(0, 0)
}

fn compile_stdin() -> io::Result<()> {
    let mut component = Vec::new();
    io::stdin().lock().read_to_end(&mut component)?;
    let code = backup_compiler::compile(&component).map_err(|error| io::Error::other(format!("{error:#}")))?;
    io::stdout().lock().write_all(&code)
}

fn last_words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.trim().chars().take(500).flat_map(char::escape_debug).collect()
}
