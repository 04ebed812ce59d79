//! The columns of `cargo xtask matrix`: whatever `cargo test --workspace` leaves out.
//!
//! A test that is left out is `#[ignore]`d and belongs to exactly one column, by a part of its name. The test binaries
//! that have such tests check that themselves, with [`expect_every_ignored_test`].

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Something to run, with a name.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is in it, and what it needs beside Rust, a C compiler, a JDK and Maven.
    pub about: &'static str,
    /// When `.ci/run` runs it.
    pub group: Group,
    /// What there is to do.
    pub work: Work,
}

/// When `.ci/run` runs a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Always: it is `cargo test --workspace`.
    Default,
    /// Always: what an engine decides, on another engine.
    Engine,
    /// When the commit chooses it.
    Rotated,
    /// Never: it needs what a fresh machine may not have, or too much time.
    OnRequest,
}

/// What there is to do in a column.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// Every test that is not ignored.
    DefaultTests,
    /// Some ignored tests.
    Ignored(&'static [Selection]),
    /// The tests that kill hosts, with many more kills. Some of them are not ignored.
    Kills(&'static [Selection]),
    /// What is published, built twice.
    Published,
    /// The fuzz targets.
    Fuzz,
}

/// Tests of one binary.
#[derive(Debug, Clone, Copy)]
pub struct Selection {
    /// The test binary, as cargo names it.
    pub binary: &'static str,
    /// Parts of names: a test is selected if one of them is in its name.
    pub filters: &'static [&'static str],
}

impl Selection {
    const fn scenarios(filters: &'static [&'static str]) -> Self {
        Self { binary: "scenarios", filters }
    }

    /// Whether the test is one of these.
    #[must_use]
    pub fn has(&self, binary: &str, test: &str) -> bool {
        self.binary == binary && self.filters.iter().any(|filter| test.contains(filter))
    }
}

impl Column {
    /// The tests on one engine.
    const fn of_engine(name: &'static str, about: &'static str, tests: &'static [Selection]) -> Self {
        Self { name, about, group: Group::Engine, work: Work::Ignored(tests) }
    }

    /// Tests that a commit chooses.
    const fn rotated(name: &'static str, about: &'static str, tests: &'static [Selection]) -> Self {
        Self { name, about, group: Group::Rotated, work: Work::Ignored(tests) }
    }

    /// The tests in it, of which those are ignored that no other column has.
    #[must_use]
    pub fn ignored(&self) -> &'static [Selection] {
        match self.work {
            Work::Ignored(selections) | Work::Kills(selections) => selections,
            _ => &[],
        }
    }
}

/// All columns, in the order in which they are run.
pub const COLUMNS: [Column; 16] = [
    Column { name: "default", about: "cargo test --workspace", group: Group::Default, work: Work::DefaultTests },
    Column::of_engine(
        "elasticsearch_7_17",
        "what an engine decides, on Elasticsearch 7.17",
        &[Selection::scenarios(&["::elasticsearch_7_17::"])],
    ),
    Column::of_engine(
        "elasticsearch_8_11",
        "the same on Elasticsearch 8.11",
        &[Selection::scenarios(&["::elasticsearch_8_11::"])],
    ),
    Column::of_engine(
        "elasticsearch_9_2",
        "the same on Elasticsearch 9.2; needs a JDK of version 21 or newer",
        &[Selection::scenarios(&["::elasticsearch_9_2::"])],
    ),
    Column::of_engine(
        "opensearch_2_19",
        "the same on OpenSearch 2.19",
        &[Selection::scenarios(&["::opensearch_2_19::"])],
    ),
    Column::of_engine(
        "opensearch_3_1",
        "the same on OpenSearch 3.1; needs a JDK of version 21 or newer",
        &[Selection::scenarios(&["::opensearch_3_1::"])],
    ),
    Column::rotated(
        "wasmtime",
        "the actuator component in the crates of wasmtime serve",
        &[Selection::scenarios(&["::wasmtime::"])],
    ),
    Column::rotated(
        "jco",
        "the actuator component in jco serve; needs Node.js 20 or newer with npm",
        &[Selection::scenarios(&["::jco_on_node::", "::jco_on_bun::"])],
    ),
    Column::rotated(
        "languages",
        "examples and policies of one's own; needs Node.js 20 with npm, Python 3.10 with venv, Go 1.25, or newer",
        &[
            Selection::scenarios(&["other_policies::"]),
            Selection {
                binary: "embedding",
                filters: &["node::", "python::", "go::", "in_rust_is_finished_in_python"],
            },
        ],
    ),
    Column {
        name: "deploy",
        about: "what is under deploy/, and the API against its description; needs Python 3.10 with venv, Go 1.24, systemd-analyze and promtool, or newer",
        group: Group::OnRequest,
        work: Work::Ignored(&[Selection::scenarios(&["deploy_checks::"])]),
    },
    Column {
        name: "published",
        about: "what is published, built twice; needs git and the repository's history",
        group: Group::Rotated,
        work: Work::Published,
    },
    Column {
        name: "fuzz",
        about: "the fuzz targets; needs Rust's nightly toolchain and cargo-fuzz",
        group: Group::Rotated,
        work: Work::Fuzz,
    },
    Column::rotated(
        "schedule",
        "three servers with one schedule, on Elasticsearch 8.19",
        &[Selection::scenarios(&["unattended::"])],
    ),
    Column::rotated(
        "verifications",
        "every fault at every step of a verification, servers that are killed in one, and each privilege that it needs, on Elasticsearch 8.19 and OpenSearch 2.19",
        &[Selection::scenarios(&[
            "fault_table::verifications::in_column::",
            "verification::kills::in_column::of_opensearch_2_19",
            "verification::privileges::in_column::",
        ])],
    ),
    Column {
        name: "kills",
        about: "50 kills with a restart, 50 with a neighbour, 50 of restores and 5 of servers that verify, on Elasticsearch 8.19",
        group: Group::Rotated,
        work: Work::Kills(&[Selection::scenarios(&[
            "lifecycle::elasticsearch_8_19::kills_",
            "replicas::elasticsearch_8_19::a_neighbour_resumes_after_kills",
            "restore::kills::elasticsearch_8_19::",
            "verification::kills::in_column::of_elasticsearch_8_19",
        ])]),
    },
    Column {
        name: "restores",
        about: "50 kills of restores on the other engines, engines that crash or stand still in one, on all, and 50 kills of the command that verifies, on Elasticsearch 8.19",
        group: Group::OnRequest,
        work: Work::Kills(&[Selection::scenarios(&[
            "restore::kills::in_column::",
            "restore::interrupted::in_column::",
            "verification::elasticsearch_8_19_only::what_a_killed_verification_has_left_is_cleared",
        ])]),
    },
];

/// Checks the ignored tests of the test binary that calls it.
///
/// # Errors
/// One of them is in no column or in several, or a column has a filter that fits none.
pub fn expect_every_ignored_test(binary: &str) -> Result<()> {
    let program = std::env::current_exe()?;
    let complaints = of_binary(binary, &list(&program, true)?);
    ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

/// The names of the tests in a test binary: all of them, or those that are ignored.
///
/// # Errors
/// It does not list them.
pub fn list(program: &Path, ignored: bool) -> Result<Vec<String>> {
    let mut command = Command::new(program);
    command.args(["--list", "--format", "terse"]);
    if ignored {
        command.arg("--ignored");
    }
    let output = command.output().with_context(|| format!("{} does not run", program.display()))?;
    ensure!(output.status.success(), "{} lists no tests: {}", program.display(), output.status);
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// What is wrong with the columns for these ignored tests, by binary.
#[must_use]
pub fn complaints(ignored: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut complaints: Vec<String> = ignored.iter().flat_map(|(binary, tests)| of_binary(binary, tests)).collect();
    for selection in COLUMNS.iter().flat_map(Column::ignored) {
        if !ignored.contains_key(selection.binary) {
            complaints.push(format!("there is no test binary {}", selection.binary));
        }
    }
    complaints
}

fn of_binary(binary: &str, tests: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    for test in tests {
        let has = |column: &&Column| column.ignored().iter().any(|selection| selection.has(binary, test));
        let columns: Vec<&str> = COLUMNS.iter().filter(has).map(|column| column.name).collect();
        if columns.len() != 1 {
            complaints.push(format!("{binary}: {test} is ignored and in {} columns: {columns:?}", columns.len()));
        }
    }
    for column in COLUMNS.iter().filter(|column| !matches!(column.work, Work::Kills(_))) {
        let own = column.ignored().iter().filter(|selection| selection.binary == binary);
        for filter in own.flat_map(|selection| selection.filters) {
            if !tests.iter().any(|test| test.contains(filter)) {
                complaints.push(format!("column {}: no ignored test of {binary} fits {filter}", column.name));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::of_binary;

    const EMBEDDING: [&str; 4] = [
        "go::the_go_example_makes_backups",
        "node::the_node_example_makes_backups",
        "python::the_python_example_makes_backups",
        "rust::a_backup_that_was_begun_in_rust_is_finished_in_python",
    ];

    fn complaints(tests: &[&str]) -> Vec<String> {
        of_binary("embedding", &tests.iter().map(|&test| test.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn each_in_one_column_is_as_it_should_be() {
        assert!(complaints(&EMBEDDING).is_empty());
    }

    #[test]
    fn a_test_in_no_column_is_found() {
        let found = complaints(&[&EMBEDDING[..], &["zig::the_zig_example_makes_backups"]].concat());
        assert!(found.len() == 1 && found[0].contains("zig::"), "{found:?}");
    }

    #[test]
    fn a_filter_that_fits_nothing_is_found() {
        let found = complaints(&EMBEDDING[1..]);
        assert!(found.len() == 1 && found[0].contains("go::"), "{found:?}");
    }
}
