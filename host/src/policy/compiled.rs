use wasmtime::Engine;
use wasmtime::component::Component;

use super::sandbox::{self, Sandbox};

/// Machine code that this program's own compiler made, in a process that this one started.
///
/// There is no way to make one of a file: whoever could choose the machine code could do anything.
pub struct Compiled(Vec<u8>);

/// Compiles a component as [`Sandbox`] runs it, on this thread only.
///
/// # Errors
/// What the compiler has to say against the component.
pub fn machine_code(component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let mut config = sandbox::code();
    config.parallel_compilation(false);
    Engine::new(&config)?.precompile_component(component)
}

impl Compiled {
    /// Vouches that these bytes came from [`machine_code`], through a pipe that nobody else has.
    pub(crate) fn from_own_compiler(code: Vec<u8>) -> Self {
        Self(code)
    }

    #[allow(unsafe_code, reason = "the only way to take compiled code over from another process")]
    pub(super) fn component(&self, sandbox: &Sandbox) -> wasmtime::Result<Component> {
        // SAFETY: the bytes must come from wasmtime's compiler, unchanged. `from_own_compiler` is called
        // with the output of one process: this very program, started by us, ended without an error, and
        // the only one with the other end of the pipe. wasmtime itself checks version and configuration.
        unsafe { Component::deserialize(&sandbox.engine, &self.0) }
    }
}
