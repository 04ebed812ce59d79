use std::io::{self, BufRead, Write};

use super::error::BackupCommandError;

/// Asks on the terminal.
pub(super) async fn confirm(question: String) -> Result<bool, BackupCommandError> {
    let answer = tokio::task::spawn_blocking(move || {
        io::stderr().write_all(question.as_bytes())?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        Ok::<_, io::Error>(line)
    });
    let answer = answer.await.map_err(io::Error::other)??;
    Ok(["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes)))
}
