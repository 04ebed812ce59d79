use wasmtime::component::Component;

use super::Sandbox;

/// The embedded policy as machine code, made when this binary was built; empty where that was not possible.
const EMBEDDED_CODE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policy.cwasm"));

/// Machine code that this program's own compiler made.
///
/// There is no way to make one of a file: whoever could choose the machine code could do anything.
pub struct Compiled(Code);

enum Code {
    /// Part of this binary, and trusted as much as the rest of it.
    Embedded,
    /// Made in a process that this one started.
    Own(Vec<u8>),
}

impl Compiled {
    /// The embedded policy, as it was compiled when this binary was built.
    pub(super) const EMBEDDED: Self = Self(Code::Embedded);

    /// Vouches that these bytes came from [`backup_compiler::compile`], through a pipe that nobody else has.
    pub(crate) fn from_own_compiler(code: Vec<u8>) -> Self {
        Self(Code::Own(code))
    }

    #[allow(unsafe_code, reason = "the only way to take over code that was compiled elsewhere")]
    pub(super) fn component(&self, sandbox: &Sandbox) -> wasmtime::Result<Component> {
        let code = match &self.0 {
            Code::Embedded => EMBEDDED_CODE,
            Code::Own(code) => code,
        };
        // SAFETY: the bytes must come from wasmtime's compiler, unchanged. They are either part of this binary, put there by
        // its own build script, or the output of one process: this very program, started by us, ended without an
        // error, and the only one with the other end of the pipe. wasmtime itself checks version, configuration
        // and what the code expects of the processor.
        unsafe { Component::deserialize(&sandbox.engine, code) }
    }
}

#[cfg(test)]
mod tests {
    use super::Compiled;
    use crate::sandbox::Sandbox;
    use crate::settings::Settings;

    #[test]
    fn the_embedded_machine_code_fits_the_sandbox() {
        let settings = Settings::load(None, |_| None).unwrap();
        let sandbox = Sandbox::new(settings.policy.call).unwrap();
        let loaded = Compiled::EMBEDDED.component(&sandbox);
        assert!(loaded.is_ok(), "every start would compile the policy again: {:?}", loaded.err());
    }
}
