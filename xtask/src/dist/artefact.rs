use anyhow::Result;
use backup_artefacts::{Interface, Workspace};

#[derive(Debug)]
pub(super) struct Artefact {
    /// What it is called, in its file's name and in registries.
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    /// Its version: that of the program, or of the WIT package.
    pub(super) version: String,
    pub(super) interface: Interface,
    pub(super) bytes: Vec<u8>,
}

impl Artefact {
    pub(super) fn all(workspace: &Workspace) -> Result<[Self; 3]> {
        let policy = workspace.policy()?;
        let actuator = workspace.actuator(&policy)?;
        let wit = workspace.wit()?;
        let program = || env!("CARGO_PKG_VERSION").to_owned();
        Ok([
            Self::new("policy", "The policy: any host that lends it an engine can run it", program(), policy)?,
            Self::new("optimize-backup", "The complete actuator, for any host of wasi:http", program(), actuator)?,
            Self::new("optimize-backup-wit", "The WIT package between host and policy", wit.version, wit.bytes)?,
        ])
    }

    fn new(name: &'static str, description: &'static str, version: String, bytes: Vec<u8>) -> Result<Self> {
        Ok(Self { name, description, version, interface: Interface::of(&bytes)?, bytes })
    }

    pub(super) fn file(&self) -> String {
        format!("{}.wasm", self.name)
    }
}
