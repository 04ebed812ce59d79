//! Where and with what this was measured.

use std::fs;
use std::process::Command;

use serde::Serialize;

/// For the head of the table and for the file.
#[derive(Serialize)]
pub(crate) struct Machine {
    processors: usize,
    processor: String,
    memory_mib: u64,
    kernel: String,
    /// The load of one minute when the bench began.
    load_before: String,
    commit: String,
    optimize_backup: &'static str,
    rustc: String,
    /// With debug assertions, nothing here means anything.
    release: bool,
}

impl Machine {
    pub(crate) fn here() -> Self {
        let cpu = read("/proc/cpuinfo");
        let processor = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let memory = read("/proc/meminfo");
        let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
        Self {
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            processor: processor.map_or("unknown", |(_, name)| name).to_owned(),
            memory_mib: memory.and_then(|kibibytes| kibibytes.parse::<u64>().ok()).unwrap_or_default() >> 10,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: load(),
            commit: output("git", &["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]),
            optimize_backup: env!("CARGO_PKG_VERSION"),
            rustc: output("rustc", &["--version"]),
            release: !cfg!(debug_assertions),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { processors, processor, memory_mib, kernel, load_before, commit, rustc, release, .. } = self;
        let profile = if *release { "release" } else { "with debug assertions" };
        writeln!(out, "{processors} × {processor}, {memory_mib} MiB, Linux {kernel}; load before: {load_before}")?;
        write!(out, "commit {commit}, {rustc}, {profile}")
    }
}

/// The load of the last minute.
pub(crate) fn load() -> String {
    read("/proc/loadavg").split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success());
    output.map_or("unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
