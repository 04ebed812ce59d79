//! `cargo xtask bench`: what the host costs, beside the same rules without a sandbox, beside other hosts and beside the engine.
//!
//! Everything that is compared is measured in turn, in one run: ratios mean something on a machine that has other work too, times
//! less so.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "of samples")]

mod caller;
mod canned;
mod elasticsearch;
mod exchange;
mod figures;
mod idle;
mod lists;
mod load;
mod long;
mod machine;
mod memory;
mod native;
mod python;
mod rates;
mod report;
mod sides;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use self::canned::CannedEngine;
use self::idle::Idle;
use self::report::Report;

#[derive(Debug, Parser)]
struct Options {
    /// Only this part; can be repeated. Without: all but soak, connections and callers, which take minutes each.
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Requests a second of small answers.
    Rates,
    /// Lists of up to 10,000 backups.
    Lists,
    /// Resident memory after 40 lists.
    Memory,
    /// What a host reads that nobody calls.
    Idle,
    /// A list on a real Elasticsearch.
    Elasticsearch,
    /// From a candidate's arrival until it serves.
    Exchange,
    /// Callers while policies are replaced.
    Load,
    /// 1,000 lists of 10,000 backups.
    Soak,
    /// 2,500 connections that are held for two minutes.
    Connections,
    /// 64 callers who list a slow engine while a backup runs.
    Callers,
}

const DEFAULT: [Part; 7] =
    [Part::Rates, Part::Lists, Part::Memory, Part::Idle, Part::Elasticsearch, Part::Exchange, Part::Load];

#[tokio::main]
async fn main() -> Result<()> {
    sides::serve_if_asked().await?;
    let options = Options::parse();
    let parts = if options.only.is_empty() { DEFAULT.to_vec() } else { options.only };
    if parts.contains(&Part::Rates) || parts.contains(&Part::Lists) {
        backup_test_hosts::wasmtime::build().await?;
    }
    let mut report = Report::new();
    let engine = CannedEngine::start()?;
    let mut idle = None;
    if parts.contains(&Part::Idle) {
        idle = Some(Idle::start().await?);
    }
    for part in parts {
        measure(part, &engine, &mut report).await?;
    }
    if let Some(idle) = idle {
        idle.finish(&mut report).await;
    }
    report.finish()
}

async fn measure(part: Part, engine: &CannedEngine, report: &mut Report) -> Result<()> {
    match part {
        Part::Rates => rates::measure(engine, report).await,
        Part::Lists => lists::measure(engine, report).await,
        Part::Memory => memory::measure(engine, report).await,
        Part::Elasticsearch => elasticsearch::measure(report).await,
        Part::Exchange => exchange::measure(report).await,
        Part::Load => load::measure(engine, report).await,
        Part::Soak => long::soak(engine, report).await,
        Part::Connections => long::connections(report).await,
        Part::Callers => long::callers(report).await,
        // It goes on beside the others.
        Part::Idle => Ok(()),
    }
}
