use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C or SIGTERM, and what became of what was being done.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; {0}")]
pub(super) struct Interrupted(String);

/// Does something until Ctrl-C, or until SIGTERM, by which containers, systemd and `timeout` end a process. `consequence` is what
/// is to be told then.
pub(super) async fn or_interrupted<T>(
    work: impl Future<Output = T>,
    consequence: impl Fn() -> String,
) -> Result<T, Interrupted> {
    // Before anything is sent: a signal that nobody awaits ends the process without a word.
    let [mut interrupt, mut terminate] = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    tokio::select! {
        biased;
        outcome = work => Ok(outcome),
        () = next(&mut interrupt) => Err(Interrupted(consequence())),
        () = next(&mut terminate) => Err(Interrupted(consequence())),
    }
}

async fn next(signals: &mut io::Result<Signal>) {
    match signals {
        Ok(signals) => drop(signals.recv().await),
        Err(_) => std::future::pending().await,
    }
}
