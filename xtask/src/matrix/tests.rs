//! The tests that there are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use backup_test_support::matrix::{COLUMNS, Column, Selection, Work, complaints, list};
use serde_json::Value;

use crate::build_messages;

/// The names of tests, by binary.
type Names = BTreeMap<String, Vec<String>>;

pub(super) struct Tests {
    all: Names,
    ignored: Names,
}

impl Tests {
    /// Builds the tests of the workspace as `cargo test` does, and lets each binary list its own.
    pub(super) async fn built() -> Result<Self> {
        let (mut all, mut ignored) = (Names::new(), Names::new());
        for (binary, program) in binaries().await? {
            all.entry(binary.clone()).or_default().extend(list(&program, false)?);
            ignored.entry(binary).or_default().extend(list(&program, true)?);
        }
        Ok(Self { all, ignored })
    }

    /// Whether every ignored test is in exactly one column and no filter fits nothing.
    pub(super) fn expect_to_fit(&self) -> Result<()> {
        let mut complaints = complaints(&self.ignored);
        for column in COLUMNS {
            if let Work::Kills(selections) = column.work
                && selections.iter().any(|selection| count(&self.all, &[*selection]) < selection.filters.len())
            {
                complaints.push(format!("column {}: a filter fits no test", column.name));
            }
        }
        ensure!(complaints.is_empty(), "the columns do not fit the tests:\n{}", complaints.join("\n"));
        Ok(())
    }

    /// How many tests a column has.
    pub(super) fn count(&self, column: Column) -> usize {
        let sum = |names: &Names| names.values().map(Vec::len).sum::<usize>();
        match column.work {
            Work::DefaultTests => sum(&self.all).saturating_sub(sum(&self.ignored)),
            Work::Ignored(selections) => count(&self.ignored, selections),
            Work::Kills(selections) => count(&self.all, selections),
            Work::Published | Work::Fuzz => 0,
        }
    }
}

fn count(names: &Names, selections: &[Selection]) -> usize {
    let tests = names.iter().flat_map(|(binary, tests)| tests.iter().map(move |test| (binary, test)));
    tests.filter(|(binary, test)| selections.iter().any(|selection| selection.has(binary, test))).count()
}

async fn binaries() -> Result<Vec<(String, PathBuf)>> {
    let mut binaries = Vec::new();
    for message in build_messages(&["test", "--workspace", "--no-run"]).await? {
        let field = |pointer| message.pointer(pointer).and_then(Value::as_str);
        if message.pointer("/profile/test") == Some(&Value::Bool(true))
            && let (Some(name), Some(program)) = (field("/target/name"), field("/executable"))
        {
            binaries.push((name.to_owned(), PathBuf::from(program)));
        }
    }
    ensure!(!binaries.is_empty(), "cargo names no test binary");
    Ok(binaries)
}
