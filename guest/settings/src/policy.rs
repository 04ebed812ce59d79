//! The block `policy`: which policy serves, how another one takes its place, and what one call of it may use.

use std::path::PathBuf;
use std::time::Duration;

use super::connection::secret;
use super::section::{Read, Section, read_all};
use super::values::{self, Secret};

/// The most that 32 bits can count: no limit needs to be higher.
const MOST: usize = u32::MAX as usize;
const MEBIBYTE: usize = 1 << 20;

/// Which policy serves, and how another one takes its place.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    /// The file of the component. `None`: the embedded one.
    pub path: Option<PathBuf>,
    /// Whoever has it may replace the policy over HTTP. `None`: nobody may.
    pub token: Option<Secret>,
    /// The public keys of those whose policies are admitted. Empty: anybody's are.
    pub keys: Vec<PathBuf>,
    /// Where the last known good policy is kept. `None`: nowhere.
    pub cache_dir: Option<PathBuf>,
    /// The largest component, in bytes.
    pub max_bytes: usize,
    /// The processor time that a component may take to compile.
    pub compile_time: Duration,
    /// How many calls of one operation in a row may fail before the previous policy comes back.
    pub max_failures: u32,
    /// What one call may use.
    pub call: CallLimits,
}

/// What one call of a policy may use.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// Linear memory, in bytes.
    pub memory: usize,
    /// Processor time, without the time spent waiting for the search engine.
    pub cpu_time: Duration,
    /// Time from start to end: that of one request to the search engine.
    pub wall_time: Duration,
    /// Requests to the search engine.
    pub engine_calls: u32,
    /// What one request or answer may have in all, in bytes.
    pub transfer: usize,
}

impl PolicySettings {
    pub(super) fn read(policy: &Section<'_>, call_timeout: Read<Duration>) -> Read<Self> {
        read_all!(Self {
            path: policy.optional("path", values::any),
            token: secret(policy, ["token", "tokenFile"], values::token).map(|token| token.map(|(_, token)| token)),
            keys: policy.list("keys", values::readable_file),
            cache_dir: policy.optional("cacheDir", values::any),
            max_bytes: policy.required("maxBytes", values::number(1..=MOST)),
            compile_time: policy.required("compileTime", values::duration),
            max_failures: policy.required("maxFailures", values::number(1..=u32::MAX)),
            call: CallLimits::read(policy, call_timeout),
        })
    }
}

impl CallLimits {
    fn read(policy: &Section<'_>, call_timeout: Read<Duration>) -> Read<Self> {
        read_all!(Self {
            memory: policy.required("maxMemoryBytes", values::number(MEBIBYTE..=MOST)),
            cpu_time: policy.required("cpuTime", values::duration),
            wall_time: call_timeout,
            engine_calls: policy.required("maxEngineCalls", values::number(1..=u32::MAX)),
            transfer: policy.required("maxTransferBytes", values::number(MEBIBYTE..=MOST)),
        })
    }
}
