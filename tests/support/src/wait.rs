//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// The pause between two calls is a tenth of the time waited so far, within these limits: a long wait does not keep the
/// machine busy.
const MIN_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_millis(250);

/// Calls `check` until it returns a value, and fails after `timeout`.
///
/// An error of `check` ends the wait: only `None` means "not yet".
pub async fn poll_until<T>(
    what: &str,
    timeout: Duration,
    mut check: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = check().await? {
            return Ok(answer);
        }
        ensure!(start.elapsed() < timeout, "waited {timeout:?} in vain for {what}");
        tokio::time::sleep((start.elapsed() / 10).clamp(MIN_PAUSE, MAX_PAUSE)).await;
    }
}
