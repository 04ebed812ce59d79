//! Which policy serves, how another one takes its place, and what one call of it may use: the block `policy`.

use std::path::PathBuf;
use std::time::Duration;

use super::authentication::secret;
use super::secret::Secret;
use super::section::{Read, Section};
use super::values;

const MEBIBYTE: usize = 1 << 20;
const KIBIBYTE: usize = 1 << 10;
/// The most that 32 bits can count: no limit needs to be higher.
const MOST: usize = u32::MAX as usize;

/// Which policy serves, and how another one takes its place.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    /// The file of the component. `None`: the embedded one.
    pub path: Option<PathBuf>,
    /// How often that file is looked at.
    pub watch_interval: Duration,
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
    /// How much memory that may take, in bytes.
    pub compile_memory_bytes: u64,
    /// How many calls of one operation in a row may fail before the previous policy comes back.
    pub max_failures: u32,
    /// What one call may use.
    pub call: PolicyCallSettings,
}

/// What one call of a policy may use.
#[derive(Clone, Copy, Debug)]
pub struct PolicyCallSettings {
    /// Memory, in bytes.
    pub max_memory_bytes: usize,
    /// Processor time, without the time spent waiting for the database.
    pub cpu_time: Duration,
    /// Calls of the database.
    pub max_engine_calls: u32,
    /// What a request or an answer may have in all, in bytes.
    pub max_transfer_bytes: usize,
    /// Core instances.
    pub max_instances: u32,
    /// Tables.
    pub max_tables: u32,
    /// Elements of each table.
    pub max_table_elements: usize,
    /// The stack, in bytes.
    pub max_stack_bytes: usize,
    /// What it may print on each of its two streams, in bytes; the rest is counted.
    pub max_log_bytes: usize,
}

impl PolicySettings {
    /// Reads the block.
    pub(super) fn read(policy: &Section<'_>) -> Read<Self> {
        let path = policy.optional("path", values::path);
        let watch_interval = policy.required("watchInterval", values::duration);
        let token = secret(policy, ["token", "tokenFile"], values::token);
        let keys = policy.list("keys", values::readable_file);
        let cache_dir = policy.optional("cacheDir", values::path);
        let max_bytes = policy.required("maxBytes", values::number(1..=MOST));
        let compile_time = policy.required("compileTime", values::duration);
        let compile_memory_bytes = policy.required("compileMemoryBytes", values::number(64 << 20..=1 << 40));
        let max_failures = policy.required("maxFailures", values::number(1..=u32::MAX));
        let call = PolicyCallSettings::read(policy);
        Ok(Self {
            path: path?,
            watch_interval: watch_interval?,
            token: token?.map(|(_, token)| token),
            keys: keys?,
            cache_dir: cache_dir?,
            max_bytes: max_bytes?,
            compile_time: compile_time?,
            compile_memory_bytes: compile_memory_bytes?,
            max_failures: max_failures?,
            call: call?,
        })
    }
}

impl PolicyCallSettings {
    fn read(policy: &Section<'_>) -> Read<Self> {
        let max_memory_bytes = policy.required("maxMemoryBytes", values::number(MEBIBYTE..=MOST));
        let cpu_time = policy.required("cpuTime", values::duration);
        let max_engine_calls = policy.required("maxEngineCalls", values::number(1..=u32::MAX));
        let max_transfer_bytes = policy.required("maxTransferBytes", values::number(MEBIBYTE..=MOST));
        let max_instances = policy.required("maxInstances", values::number(1..=1000));
        let max_tables = policy.required("maxTables", values::number(1..=100));
        let max_table_elements = policy.required("maxTableElements", values::number(1..=10_000_000));
        let max_stack_bytes = policy.required("maxStackBytes", values::number(64 * KIBIBYTE..=64 * MEBIBYTE));
        let max_log_bytes = policy.required("maxLogBytes", values::number(0..=MEBIBYTE));
        Ok(Self {
            max_memory_bytes: max_memory_bytes?,
            cpu_time: cpu_time?,
            max_engine_calls: max_engine_calls?,
            max_transfer_bytes: max_transfer_bytes?,
            max_instances: max_instances?,
            max_tables: max_tables?,
            max_table_elements: max_table_elements?,
            max_stack_bytes: max_stack_bytes?,
            max_log_bytes: max_log_bytes?,
        })
    }
}
