use std::time::Duration;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use crate::cli::output::note;

const TICK: Duration = Duration::from_millis(100);

/// What is being waited for, on standard error: one line that changes on a terminal, elsewhere a line for each change.
pub(super) struct Progress {
    subject: String,
    line: ProgressBar,
    shown: String,
}

impl Progress {
    pub(super) fn of(subject: String) -> Self {
        // Without a template that can be read, indicatif has one of its own.
        let style = ProgressStyle::with_template("{spinner} {elapsed_precise} {wide_msg}");
        let line = ProgressBar::new_spinner().with_finish(ProgressFinish::AndClear);
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        line.set_message(subject.clone());
        if !line.is_hidden() {
            line.enable_steady_tick(TICK);
        }
        Self { subject, line, shown: String::new() }
    }

    /// Shows what is being done now.
    pub(super) fn show(&mut self, what: String) {
        if what == self.shown {
            return;
        }
        if self.line.is_hidden() {
            note(&format!("{}: {what}", self.subject));
        } else {
            // A narrow terminal cuts the end off.
            self.line.set_message(format!("{what} ({})", self.subject));
        }
        self.shown = what;
    }
}
