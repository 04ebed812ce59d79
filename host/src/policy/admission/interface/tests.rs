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
