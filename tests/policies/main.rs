//! Replacing the policy of a host: good candidates, and bad ones. Mostly in this process, with an engine in
//! memory.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may fail in any way")]

mod admission;
mod cli;
mod data;
mod exchange;
mod fixtures;
mod hostile;
mod http;
mod limits;
mod lists;
mod log;
mod misbehaviour;
mod process;
mod restores;
mod retention;
mod scopes;
mod shadow;
mod sources;
mod verifications;
mod wasi;

use std::path::Path;

use backup_test_hosts::{Options, TestHost};
use backup_test_support::compiler;

/// The host's binary is the one of this build.
const PROGRAM: &str = env!("CARGO_BIN_EXE_optimize-backup");

/// The usual ones. A component that several tests offer is compiled once.
fn options() -> Options {
    Options { program: compiler::once(Path::new(PROGRAM)).unwrap(), ..Options::new(PROGRAM) }
}

fn test_host() -> TestHost {
    TestHost::new(options())
}

#[test]
fn the_table_in_the_docs_is_of_tests_that_exist() {
    let document = include_str!("../../docs/policies.md");
    let (_, section) = document.split_once("\n## Bad candidates\n").unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(!rows.is_empty());
    for row in rows {
        let (module, test) =
            row.split(" | `").nth(1).and_then(|cell| cell.split_once('`')?.0.split_once("::")).unwrap();
        let file = format!("{}/../tests/policies/{module}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(&file).unwrap();
        assert!(source.contains(&format!("async fn {test}()")), "{file} has no test {test}");
    }
}
