//! Compiles policy components into machine code: for the host's build script, and for the process that
//! compiles a candidate while the host runs.
//!
//! Wasmtime loads machine code only where the settings that it was made with are those of the engine that
//! loads it. So whoever compiles and whoever loads begins with [`config`].

use wasmtime::{Config, Engine, Result};

/// The settings that machine code depends on. What limits a call at run time comes on top of them.
pub fn config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config
}

/// Compiles a component for this machine's processor, on this thread only.
pub fn compile(component: &[u8]) -> Result<Vec<u8>> {
    precompile(config(), component)
}

/// Compiles a component for every processor of an architecture, such as `x86_64-unknown-linux-gnu`.
///
/// The same component gives the same bytes, whatever processor this machine has.
pub fn compile_for(target: &str, component: &[u8]) -> Result<Vec<u8>> {
    let mut config = config();
    config.target(target)?;
    precompile(config, component)
}

fn precompile(mut config: Config, component: &[u8]) -> Result<Vec<u8>> {
    config.parallel_compilation(false);
    Engine::new(&config)?.precompile_component(component)
}
