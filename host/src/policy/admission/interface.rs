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
mod tests {
    use super::*;
    use crate::sandbox::EMBEDDED;

    fn info(imports: &[&str], exports: &[&str]) -> ComponentInfo {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        ComponentInfo { imports: owned(imports), exports: owned(exports), ..ComponentInfo::examine(EMBEDDED).unwrap() }
    }

    #[test]
    fn the_embedded_policy_speaks_the_version_of_the_host() {
        let info = ComponentInfo::examine(EMBEDDED).unwrap();
        assert_eq!(check(&info), Ok(()));
        assert_eq!(info.wit_version(), Some(HOST));
    }

    #[test]
    fn an_empty_world_is_granted() {
        let export = ["optimize:backup/backups@1.0.0"];
        for import in ["wasi:cli/environment@0.2.0", "wasi:random/random@0.2.3", "wasi:io/poll@0.2.12"] {
            assert_eq!(check(&info(&[import], &export)), Ok(()));
        }
    }

    #[test]
    fn nothing_else_is_granted() {
        let export = ["optimize:backup/backups@1.0.0"];
        for import in [
            "wasi:filesystem/types@0.2.0",
            "wasi:sockets/tcp@0.2.0",
            "wasi:http/outgoing-handler@0.2.0",
            "wasi:cli/command@0.2.0",
            "wasi:cli/environment",
            "wasi:cli/environment@0.3.0",
            "wasi:cli/environment@0.2.0-rc-2023-11-10",
            "optimize:backup/secrets@1.0.0",
            "optimize:backupper/elasticsearch@1.0.0",
            "evil:backup/elasticsearch@1.0.0",
            "elasticsearch",
        ] {
            let expected = InterfaceError::ForbiddenImport { found: vec![import.to_owned()] };
            assert_eq!(check(&info(&["optimize:backup/types@1.0.0", import], &export)), Err(expected));
        }
    }

    #[test]
    fn another_world_or_major_version_is_refused() {
        let missing = |found: &[&str]| {
            let found = found.iter().map(|&name| name.to_owned()).collect();
            Err(InterfaceError::MissingExport { expected: "optimize:backup/backups@1.0.0".to_owned(), found })
        };
        assert_eq!(check(&info(&[], &[])), missing(&[]));
        assert_eq!(check(&info(&[], &["wasi:cli/run@0.2.0"])), missing(&["wasi:cli/run@0.2.0"]));
        let version = |found: &str| Err(InterfaceError::WitVersion { found: found.to_owned(), host: HOST });
        let next = "optimize:backup/backups@2.0.0";
        assert_eq!(check(&info(&[], &[next])), version(next));
        let mixed = "optimize:backup/types@0.9.0";
        assert_eq!(check(&info(&[mixed], &["optimize:backup/backups@1.3.0"])), version(mixed));
    }
}
