use tokio::signal::ctrl_c;

/// Ctrl-C, and what became of what was being done.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; {0}")]
pub(super) struct Interrupted(String);

/// Does something until Ctrl-C. `consequence` is what is to be told then.
pub(super) async fn or_interrupted<T>(
    work: impl Future<Output = T>,
    consequence: impl Fn() -> String,
) -> Result<T, Interrupted> {
    let pressed = async {
        // Where nobody can be told of it, it ends the process as it does by default.
        if ctrl_c().await.is_err() {
            std::future::pending().await
        }
    };
    tokio::select! {
        biased;
        outcome = work => Ok(outcome),
        () = pressed => Err(Interrupted(consequence())),
    }
}
