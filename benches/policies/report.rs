//! The one table, and the file for machines.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::figures::{show, table};
use crate::machine::{Machine, load};

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Report {
    machine: Machine,
    load_after: String,
    seconds: u64,
    rows: Vec<Row>,
    #[serde(skip)]
    started: Instant,
}

/// A figure, what it is compared with, and what is wanted.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    part: &'static str,
    what: String,
    ours: Figure,
    beside: Option<Beside>,
    ratio: Option<f64>,
    wanted: Option<Wanted>,
    met: Option<bool>,
}

/// The other side of a ratio.
#[derive(Clone, Debug, Serialize)]
struct Beside {
    what: String,
    figure: Option<Figure>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "unit", content = "value", rename_all = "camelCase")]
pub(crate) enum Figure {
    Milliseconds(f64),
    PerSecond(f64),
    Mebibytes(f64),
    Number(f64),
}

/// What the ratio should be, or the figure itself if there is none.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

impl Report {
    pub(crate) fn new() -> Self {
        let machine = Machine::here();
        println!("{machine}\n");
        Self { machine, load_after: String::new(), seconds: 0, rows: Vec::new(), started: Instant::now() }
    }

    /// Adds a row, and prints what is known so far: the table comes at the end.
    pub(crate) fn add(&mut self, row: Row) {
        println!("{}", row.cells().join(" | "));
        self.rows.push(row);
    }

    /// Prints the table and writes the file.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.seconds = self.started.elapsed().as_secs();
        self.load_after = load();
        let rows: Vec<_> = self.rows.iter().map(|row| row.cells().to_vec()).collect();
        table(&["what", "ours", "beside", "", "ratio", "wanted", "met"], &rows);
        println!("\n{}; load after: {}; {} s", self.machine, self.load_after, self.seconds);
        let target = backup_test_support::target_folder().context("the bench is not in cargo's target folder")?;
        let file = target.join("bench.json");
        std::fs::write(&file, serde_json::to_string_pretty(&self)? + "\n")?;
        println!("{}", file.display());
        Ok(())
    }
}

impl Row {
    pub(crate) fn new(part: &'static str, what: impl Into<String>, ours: Figure) -> Self {
        Self { part, what: what.into(), ours, beside: None, ratio: None, wanted: None, met: None }
    }

    /// Compares it with another figure; `None`: which could not be measured here.
    pub(crate) fn beside(mut self, what: impl Into<String>, figure: Option<Figure>) -> Self {
        self.ratio = figure.map(|other| self.ours.value() / other.value());
        self.beside = Some(Beside { what: what.into(), figure });
        self
    }

    pub(crate) fn wanted(mut self, wanted: Wanted) -> Self {
        let value = if self.beside.is_some() { self.ratio } else { Some(self.ours.value()) };
        self.met = value.map(|value| wanted.is_met(value));
        self.wanted = Some(wanted);
        self
    }

    fn cells(&self) -> [String; 7] {
        let figure = self.beside.as_ref().map(|beside| beside.figure.map_or("not measured".to_owned(), Figure::text));
        [
            self.what.clone(),
            self.ours.text(),
            self.beside.as_ref().map(|beside| beside.what.clone()).unwrap_or_default(),
            figure.unwrap_or_default(),
            self.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            self.wanted.map(Wanted::text).unwrap_or_default(),
            self.met.map(|met| if met { "yes" } else { "**no**" }).unwrap_or_default().to_owned(),
        ]
    }
}

impl Figure {
    pub(crate) fn time(time: Duration) -> Self {
        Self::Milliseconds(time.as_secs_f64() * 1e3)
    }

    pub(crate) fn bytes(bytes: u64) -> Self {
        Self::Mebibytes(bytes as f64 / f64::from(1 << 20))
    }

    pub(crate) fn number(number: usize) -> Self {
        Self::Number(number as f64)
    }

    fn value(self) -> f64 {
        match self {
            Self::Milliseconds(value) | Self::PerSecond(value) | Self::Mebibytes(value) | Self::Number(value) => value,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Milliseconds(value) => show(Duration::from_secs_f64(value / 1e3)),
            Self::PerSecond(value) => format!("{value:.0} /s"),
            Self::Mebibytes(value) => format!("{value:.1} MiB"),
            Self::Number(value) => format!("{value}"),
        }
    }
}

impl Wanted {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::AtMost(most) => format!("≤ {most}"),
        }
    }
}
