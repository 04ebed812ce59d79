//! The block `policy`: which policy serves, how another one takes its place, and what one call of it may use.

use std::path::PathBuf;
use std::time::Duration;

use super::section::{Parsed, Section, settings};
use super::values;

/// The most that 32 bits can count: no limit needs to be higher.
const MOST: usize = u32::MAX as usize;
const MEBIBYTE: usize = 1 << 20;

settings! {
    /// Which policy serves, and how another one takes its place.
    #[derive(Clone, Debug)]
    pub struct PolicySettings(policy: &Section<'_>, call_timeout: Parsed<Duration>) {
        /// The file of the component. `None`: the embedded one.
        path: Option<PathBuf> = policy.optional("path", values::any),
        /// The public keys of those whose policies are admitted. Empty: anybody's are.
        keys: Vec<PathBuf> = policy.list("keys", values::readable_file),
        /// Where the last known good policy is kept. `None`: nowhere.
        cache_dir: Option<PathBuf> = policy.optional("cacheDir", values::any),
        /// The largest component, in bytes.
        max_bytes: usize = policy.required("maxBytes", values::number(1..=MOST)),
        /// The processor time that a component may take to compile.
        compile_time: Duration = policy.required("compileTime", values::duration),
        /// How many consecutive calls of one operation may fail before the previous policy comes back.
        max_failures: u32 = policy.required("maxFailures", values::number(1..=u32::MAX)),
        /// What one call may use.
        call: CallLimits = CallLimits::read(policy, call_timeout),
    }
}

settings! {
    /// What one call of a policy may use.
    #[derive(Clone, Copy, Debug)]
    pub struct CallLimits(policy: &Section<'_>, call_timeout: Parsed<Duration>) {
        /// Linear memory, in bytes.
        memory: usize = policy.required("maxMemoryBytes", values::number(MEBIBYTE..=MOST)),
        /// Processor time, without the time spent waiting for the search engine.
        cpu_time: Duration = policy.required("cpuTime", values::duration),
        /// Time from start to end: that of one request to the search engine.
        wall_time: Duration = call_timeout,
        /// Requests to the search engine.
        engine_calls: u32 = policy.required("maxEngineCalls", values::number(1..=u32::MAX)),
        /// What one answer to `list` may have in all, in bytes; any other answer, or a request, an eighth of it.
        transfer: usize = policy.required("maxTransferBytes", values::number(MEBIBYTE..=MOST)),
    }
}
