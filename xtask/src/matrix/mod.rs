//! `cargo xtask matrix`: everything that is tested, by column.

mod fuzz;
mod rotation;
mod tests;
mod work;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use backup_test_support::matrix::{COLUMNS, Column, Group};
use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args};

use self::rotation::Rotation;
use self::tests::Tests;

/// Which columns. Without any of these: all of them.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").multiple(false))]
pub(crate) struct Options {
    /// Only this column; can be repeated.
    #[arg(long, group = "which", value_name = "NAME", value_parser = PossibleValuesParser::new(COLUMNS.map(|column| column.name)))]
    column: Vec<String>,
    /// Only the columns of other engines than Elasticsearch 8.19.
    #[arg(long, group = "which")]
    engines: bool,
    /// Only the column that the last commit chooses.
    #[arg(long, group = "which")]
    rotate: bool,
    /// List the columns and how many tests they have, and run nothing.
    #[arg(long)]
    list: bool,
}

/// Runs the columns one after the other, also after one has failed.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let rotation = if options.rotate { Some(Rotation::of_the_last_commit().await?) } else { None };
    let columns = chosen(&options, rotation.as_ref());
    let tests = Tests::built().await?;
    tests.expect_to_fit()?;
    if options.list {
        for column in columns {
            println!("{:20} {:>5}  {}", column.name, tests.count(column), column.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(rotation) = &rotation {
        println!("{rotation}");
    }
    let mut results = Vec::new();
    for column in columns {
        results.push(run_column(column, &tests, rotation.is_some()).await);
    }
    println!("\n{:20} {:>5} {:>8}", "column", "tests", "seconds");
    for result in &results {
        println!("{result}");
    }
    if let Some(rotation) = &rotation {
        println!("{rotation}");
    }
    let passed = results.iter().all(|result| result.passed);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(options: &Options, rotation: Option<&Rotation>) -> Vec<Column> {
    if let Some(rotation) = rotation {
        return vec![rotation.column()];
    }
    let by_name = |column: &Column| options.column.iter().any(|name| name == column.name);
    let all = !options.engines && options.column.is_empty();
    COLUMNS
        .into_iter()
        .filter(|column| all || by_name(column) || (options.engines && column.group == Group::Engine))
        .collect()
}

struct ColumnResult {
    column: Column,
    tests: usize,
    seconds: u64,
    passed: bool,
}

impl std::fmt::Display for ColumnResult {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let outcome = if self.passed { "passed" } else { "FAILED" };
        write!(out, "{:20} {:>5} {:>8}  {outcome}", self.column.name, self.tests, self.seconds)
    }
}

async fn run_column(column: Column, tests: &Tests, rotated: bool) -> ColumnResult {
    println!("\n=== column {}: {}", column.name, column.about);
    let begin = Instant::now();
    let outcome = work::run(column, rotated).await;
    if let Err(error) = &outcome {
        eprintln!("column {}: {error:#}", column.name);
    }
    let seconds = begin.elapsed().as_secs();
    ColumnResult { column, tests: tests.count(column), seconds, passed: outcome.is_ok() }
}
