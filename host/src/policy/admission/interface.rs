//! What a policy may import and must export, by name. That the types fit too, the linker checks.

use semver::Version;

use crate::policy::ComponentInfo;
use crate::sandbox::wasi;

/// How the interfaces differ from those of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InterfaceError {
    #[error(
        "it imports {}; allowed are {}, and of WASI 0.2 {}; to build it without: in Rust for wasm32-unknown-unknown, in JavaScript with componentize-js --disable stdio http fetch-event, in Python with componentize-py --stub-wasi",
        found.join(", "),
        IMPORTS.map(of_package).join(" and "),
        wasi::INTERFACES.join(", ")
    )]
    ForbiddenImport {
        /// Everything that it must not import.
        found: Vec<String>,
    },
    #[error("it does not export {expected}; it exports {}", if found.is_empty() { "nothing".to_owned() } else { found.join(", ") })]
    MissingExport { expected: String, found: Vec<String> },
    #[error("it was built for {found}; this host speaks optimize:backup@{host}, and any 1.x")]
    WitVersion { found: String, host: Version },
}

const PACKAGE: &str = "optimize:backup";
const IMPORTS: [&str; 2] = ["elasticsearch", "types"];
const EXPORT: &str = "backups";
/// The version of the WIT package that this host is built with.
const HOST: Version = Version::new(1, 0, 0);

/// Checks what a component imports and exports.
pub(super) fn check(info: &ComponentInfo) -> Result<(), InterfaceError> {
    let forbidden: Vec<String> = info.imports.iter().filter(|import| !is_granted(import)).cloned().collect();
    if !forbidden.is_empty() {
        return Err(InterfaceError::ForbiddenImport { found: forbidden });
    }
    if policy_export(info).is_none() {
        let expected = format!("{}@{HOST}", of_package(EXPORT));
        return Err(InterfaceError::MissingExport { expected, found: info.exports.clone() });
    }
    let ours = info.imports.iter().chain(&info.exports);
    match ours.filter_map(|name| Some((name, Interface::parse(name)?))).find(|(_, interface)| !interface.is_spoken()) {
        Some((name, _)) => Err(InterfaceError::WitVersion { found: name.clone(), host: HOST }),
        None => Ok(()),
    }
}

impl ComponentInfo {
    /// The version of the interface that it was built for.
    pub fn wit_version(&self) -> Option<Version> {
        policy_export(self).map(|interface| interface.version)
    }
}

fn policy_export(info: &ComponentInfo) -> Option<Interface<'_>> {
    info.exports.iter().filter_map(|export| Interface::parse(export)).find(|interface| interface.name == EXPORT)
}

fn is_granted(import: &str) -> bool {
    Interface::parse(import).is_some_and(|interface| IMPORTS.contains(&interface.name)) || is_granted_wasi(import)
}

fn is_granted_wasi(import: &str) -> bool {
    let Some((name, version)) = import.split_once('@') else { return false };
    let is_spoken = |version: Version| (version.major, version.minor) == (0, 2) && version.pre.is_empty();
    wasi::INTERFACES.contains(&name) && Version::parse(version).is_ok_and(is_spoken)
}

fn of_package(name: &str) -> String {
    format!("{PACKAGE}/{name}")
}

/// An interface of our package: `optimize:backup/backups@1.0.0`.
struct Interface<'a> {
    name: &'a str,
    version: Version,
}

impl<'a> Interface<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (path, version) = text.split_once('@')?;
        let name = path.strip_prefix(PACKAGE)?.strip_prefix('/')?;
        Some(Self { name, version: Version::parse(version).ok()? })
    }

    fn is_spoken(&self) -> bool {
        self.version.major == HOST.major && self.version.pre.is_empty()
    }
}

#[cfg(test)]
mod tests;
