//! What is being waited for, on standard error.

mod lines;
mod words;

use std::io;
use std::time::Duration;

use backup_actuator::ProgressView;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use terminal_size::{Width, terminal_size_of};
use tokio::time::Instant;

use self::lines::Lines;
use self::words::{brief, in_full};
use crate::cli::output::note;

pub(super) use self::words::{bytes, shards, span};

const TICK: Duration = Duration::from_millis(100);
/// Where the terminal does not tell.
const USUAL_WIDTH: u16 = 80;
/// A narrower terminal has no room for a bar.
const MIN_WIDTH_OF_BAR: u16 = 70;

/// How something is that goes on.
#[derive(Clone, Debug)]
pub(super) enum Status {
    /// In words.
    Words(String),
    /// In figures.
    Figures(ProgressView),
}

impl From<String> for Status {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

/// One line that changes on a terminal; elsewhere a line now and then.
pub(super) struct Progress {
    subject: String,
    line: ProgressBar,
    lines: Lines,
    form: Form,
}

/// What the line on a terminal is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Words,
    Bar,
    /// Figures on a narrow terminal.
    Brief,
}

impl Progress {
    pub(super) fn of(subject: String) -> Self {
        let line = ProgressBar::new(1000).with_finish(ProgressFinish::AndClear);
        line.set_style(Form::Words.style());
        line.set_message(subject.clone());
        if !line.is_hidden() {
            line.enable_steady_tick(TICK);
        }
        Self { subject, line, lines: Lines::default(), form: Form::Words }
    }

    /// Shows how it is now.
    pub(super) fn show(&mut self, status: &Status) {
        if self.line.is_hidden() {
            if let Some(line) = self.lines.next(status, Instant::now()) {
                note(&format!("{}: {line}", self.subject));
            }
            return;
        }
        let width = terminal_size_of(io::stderr()).map_or(USUAL_WIDTH, |(Width(columns), _)| columns);
        let form = Form::of(status, width);
        if form != self.form {
            self.line.set_style(form.style());
            self.form = form;
        }
        let text = match status {
            Status::Words(words) => format!("{words} ({})", self.subject),
            Status::Figures(figures) => {
                self.line.set_position(permille(figures));
                let all = in_full(figures);
                let fits = |text: &String| text.chars().count() <= form.room(width);
                let texts = [format!("{all} ({})", self.subject), all];
                texts.into_iter().find(fits).unwrap_or_else(|| brief(figures))
            }
        };
        // A narrow terminal cuts the end off.
        self.line.set_message(text.chars().take(form.room(width)).collect::<String>());
    }
}

impl Form {
    fn of(status: &Status, width: u16) -> Self {
        match status {
            Status::Words(_) => Self::Words,
            Status::Figures(_) if width < MIN_WIDTH_OF_BAR => Self::Brief,
            Status::Figures(_) => Self::Bar,
        }
    }

    /// How many characters fit behind what comes first. The terminal writes `^C` behind the line: if that began another line,
    /// this one would not be taken away.
    fn room(self, width: u16) -> usize {
        const AFTER: usize = 3;
        let before = match self {
            Self::Words => "⠋ 00:00:00 ".chars().count(),
            Self::Bar => 2 + 20 + 1,
            Self::Brief => 2,
        };
        usize::from(width).saturating_sub(before + AFTER)
    }

    fn style(self) -> ProgressStyle {
        let template = match self {
            Self::Words => "{spinner} {elapsed_precise} {msg}",
            Self::Bar => "{spinner} {bar:20} {msg}",
            Self::Brief => "{spinner} {msg}",
        };
        // Without a template that can be read, indicatif has one of its own.
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    }
}

/// A server may tell anything.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a number from 0 to 1000")]
fn permille(figures: &ProgressView) -> u64 {
    (figures.percent * 10.0).clamp(0.0, 1000.0) as u64
}
