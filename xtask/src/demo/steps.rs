//! One line a step: what is being done, then what came of it and how long it took.

use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

const TICK: Duration = Duration::from_millis(100);

/// Does a step. `done` says what came of it.
pub(super) async fn step<T>(
    doing: &str,
    work: impl Future<Output = Result<T>>,
    done: impl FnOnce(&T) -> String,
) -> Result<T> {
    let start = Instant::now();
    // Shows nothing where there is no terminal.
    let spinner = ProgressBar::new_spinner().with_message(format!("{doing} …"));
    spinner.set_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}")?);
    spinner.enable_steady_tick(TICK);
    let outcome = work.await;
    spinner.finish_and_clear();
    let result = outcome?;
    report(&done(&result), start);
    Ok(result)
}

/// Does a step that shows by itself how far it is, such as a build: a spinner would wipe its lines out.
pub(super) async fn announced<T>(done: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let start = Instant::now();
    let result = work.await?;
    report(done, start);
    Ok(result)
}

fn report(done: &str, start: Instant) {
    println!("✓ {done:<72} {:>5.1} s", start.elapsed().as_secs_f64());
}
