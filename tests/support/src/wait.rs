//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// The pause between two questions: a tenth of the time waited so far, so that whoever waits long does not keep
/// those busy that it waits for.
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(250);

/// Asks again and again until there is an answer, and fails when `patience` is at its end.
///
/// An error of `ask` is final: only `None` means "not yet".
pub async fn poll_until<T>(
    what: &str,
    patience: Duration,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        ensure!(start.elapsed() < patience, "waited {patience:?} in vain for {what}");
        tokio::time::sleep((start.elapsed() / 10).clamp(SHORTEST, LONGEST)).await;
    }
}
