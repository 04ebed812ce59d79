use tokio::signal::unix::{SignalKind, signal};

/// Ctrl-C, and what became of what was being done.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; {0}")]
pub(super) struct Interrupted(String);

/// Does something until Ctrl-C. `consequence` is what is to be told then.
pub(super) async fn or_interrupted<T>(
    work: impl Future<Output = T>,
    consequence: impl Fn() -> String,
) -> Result<T, Interrupted> {
    // Before anything is sent: a signal that nobody awaits ends the process without a word.
    let mut signals = signal(SignalKind::interrupt());
    let pressed = async {
        match &mut signals {
            Ok(signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        outcome = work => Ok(outcome),
        () = pressed => Err(Interrupted(consequence())),
    }
}
