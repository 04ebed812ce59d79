use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::permits::{MAX_CONCURRENT_CALLS, Permits};
use crate::settings::CallLimits;

/// Wasmtime's engine with the memory pool that all policies share, and the limits of their calls.
pub struct Sandbox {
    pub(super) engine: Engine,
    pub(super) limits: CallLimits,
    /// One for each slot of the pool.
    pub(super) permits: Permits,
}

/// The core instances that a policy may consist of.
pub const MAX_INSTANCES: u32 = 4;
/// The tables that a policy may have, and the elements of each.
pub const MAX_TABLES: u32 = 4;
pub const MAX_TABLE_ELEMENTS: usize = 20_000;
/// A policy's own stack, in bytes.
const STACK: usize = 512 << 10;
/// What the host's functions need of a stack.
const HOST_STACK: usize = 512 << 10;
/// The resolution of processor time, and how long a busy guest keeps a thread from other tasks.
const TICK: Duration = Duration::from_millis(10);

impl Sandbox {
    /// Sets up the engine and reserves address space for the pool.
    ///
    /// # Errors
    /// If the platform cannot run WebAssembly natively or cannot reserve the pool.
    pub fn new(limits: CallLimits) -> wasmtime::Result<Arc<Self>> {
        let engine = Engine::new(&config(limits))?;
        let sandbox = Arc::new(Self { engine, limits, permits: Permits::new(limits.memory) });
        start_epoch_ticker(Arc::downgrade(&sandbox));
        Ok(sandbox)
    }

    /// How many ticks of the clock the processor time is.
    pub(super) fn cpu_ticks(&self) -> u64 {
        u64::try_from(self.limits.cpu_time.div_duration_f64(TICK).ceil() as u128).unwrap_or(u64::MAX).max(1)
    }
}

fn config(limits: CallLimits) -> Config {
    /// A short call of a policy in Rust begins with less memory, and dirties a fraction of it.
    const MEMORY_KEPT: usize = 512 << 10;
    const TABLE_KEPT: usize = 64 << 10;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(MAX_CONCURRENT_CALLS)
        .total_core_instances(MAX_CONCURRENT_CALLS * MAX_INSTANCES)
        .max_core_instances_per_component(MAX_INSTANCES)
        .total_memories(MAX_CONCURRENT_CALLS)
        .max_memories_per_component(1)
        .max_memory_size(limits.memory)
        .total_tables(MAX_CONCURRENT_CALLS * MAX_TABLES)
        .max_tables_per_component(MAX_TABLES)
        .max_tables_per_module(MAX_TABLES)
        .table_elements(MAX_TABLE_ELEMENTS)
        .total_stacks(MAX_CONCURRENT_CALLS)
        // A policy's memory is small: wiping it is cheaper than giving it back and faulting it in again.
        .linear_memory_keep_resident(MEMORY_KEPT)
        .table_keep_resident(TABLE_KEPT)
        .pagemap_scan(Enabled::Auto);
    let mut config = backup_compiler::config();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .max_wasm_stack(STACK)
        // The host's own functions run on the same stack, above the policy's.
        .async_stack_size(STACK + HOST_STACK);
    config
}

/// Advances the epoch as long as the sandbox lives.
fn start_epoch_ticker(sandbox: Weak<Sandbox>) {
    thread::spawn(move || {
        while let Some(sandbox) = sandbox.upgrade() {
            sandbox.engine.increment_epoch();
            drop(sandbox);
            thread::sleep(TICK);
        }
    });
}
