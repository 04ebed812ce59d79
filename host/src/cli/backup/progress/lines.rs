//! When a line is due, where there is no terminal.

use std::time::Duration;

use tokio::time::Instant;

use super::Status;
use super::words::{in_full, states};

/// After so much more is done.
const STEP_PERCENT: f64 = 5.0;
/// Or after this time, if anything is new.
const INTERVAL: Duration = Duration::from_secs(30);

/// The lines so far: the last one.
#[derive(Debug, Default)]
pub(super) struct Lines(Option<Line>);

#[derive(Debug)]
struct Line {
    text: String,
    /// What is told of at once when it changes.
    state: String,
    percent: Option<f64>,
    at: Instant,
}

impl Lines {
    /// The next line, if one is due.
    pub(super) fn next(&mut self, status: &Status, now: Instant) -> Option<&str> {
        let line = match status {
            Status::Words(words) => Line { text: words.clone(), state: words.clone(), percent: None, at: now },
            Status::Figures(figures) => {
                Line { text: in_full(figures), state: states(figures), percent: Some(figures.percent), at: now }
            }
        };
        let is_due = self.0.as_ref().is_none_or(|last| line.is_due_after(last));
        is_due.then(|| self.0.insert(line).text.as_str())
    }
}

impl Line {
    fn is_due_after(&self, last: &Self) -> bool {
        let further = self.percent.zip(last.percent).is_some_and(|(now, before)| now - before >= STEP_PERCENT);
        let is_time = self.at.duration_since(last.at) >= INTERVAL && self.text != last.text;
        self.state != last.state || further || is_time
    }
}

#[cfg(test)]
mod tests;
