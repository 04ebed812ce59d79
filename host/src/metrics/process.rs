//! What the process uses, under the names that Prometheus' own client libraries give it. From `/proc`, which only Linux has.

use std::fs;

use prometheus::{
    Counter, Gauge, IntGauge, Registry, register_counter_with_registry, register_gauge_with_registry,
    register_int_gauge_with_registry,
};
use rustix::param::{clock_ticks_per_second, page_size};

use super::integer;

pub(super) struct ProcessMetrics(Option<Gauges>);

struct Gauges {
    cpu: Counter,
    resident: IntGauge,
    virtual_memory: IntGauge,
    threads: IntGauge,
    open_files: IntGauge,
    max_files: IntGauge,
    started: Gauge,
}

/// Of `/proc/self/stat`.
#[derive(Debug, PartialEq)]
struct Stat {
    /// In the kernel's ticks.
    cpu: u64,
    threads: u64,
    /// In ticks since the machine was booted.
    started: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl ProcessMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        if Stat::read().is_none() {
            return Ok(Self(None));
        }
        Ok(Self(Some(Gauges {
            cpu: register_counter_with_registry!(
                "process_cpu_seconds_total",
                "Total user and system CPU time spent in seconds",
                registry
            )?,
            resident: register_int_gauge_with_registry!(
                "process_resident_memory_bytes",
                "Resident memory size in bytes",
                registry
            )?,
            virtual_memory: register_int_gauge_with_registry!(
                "process_virtual_memory_bytes",
                "Virtual memory size in bytes",
                registry
            )?,
            threads: register_int_gauge_with_registry!(
                "process_threads",
                "Number of OS threads in the process",
                registry
            )?,
            open_files: register_int_gauge_with_registry!(
                "process_open_fds",
                "Number of open file descriptors",
                registry
            )?,
            max_files: register_int_gauge_with_registry!(
                "process_max_fds",
                "Maximum number of open file descriptors",
                registry
            )?,
            started: register_gauge_with_registry!(
                "process_start_time_seconds",
                "Start time of the process since unix epoch in seconds",
                registry
            )?,
        })))
    }

    /// Reads it anew.
    pub(super) fn update(&self) {
        let (Some(gauges), Some(stat)) = (&self.0, Stat::read()) else { return };
        let seconds = |ticks: u64| ticks as f64 / clock_ticks_per_second() as f64;
        gauges.cpu.inc_by((seconds(stat.cpu) - gauges.cpu.get()).max(0.0));
        gauges.resident.set(integer(stat.resident_pages.saturating_mul(page_size() as u64)));
        gauges.virtual_memory.set(integer(stat.virtual_bytes));
        gauges.threads.set(integer(stat.threads));
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            gauges.open_files.set(integer(files.count()));
        }
        if let Ok((soft, _)) = rlimit::Resource::NOFILE.get() {
            gauges.max_files.set(integer(soft));
        }
        if let Some(boot) = boot_time() {
            gauges.started.set(boot as f64 + seconds(stat.started));
        }
    }
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// The second field, the program's name in parentheses, may have spaces and parentheses itself.
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        // By the numbers of `man proc_pid_stat`, of which the third is the first here.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu: field(14)? + field(15)?,
            threads: field(20)?,
            started: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

/// When the machine was booted, in seconds since 1970.
fn boot_time() -> Option<u64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_name_may_have_spaces_and_parentheses() {
        let text = "7 (a b) c) S 1 7 7 0 -1 4194304 101 0 0 0 25 17 0 0 20 0 9 0 4711 1048576 300 184467 1 1 0";
        let expected = Stat { cpu: 42, threads: 9, started: 4711, virtual_bytes: 1_048_576, resident_pages: 300 };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("7 (a) S 1"), None);
    }
}
