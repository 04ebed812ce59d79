use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use reqwest::header::HeaderValue;

/// Why there is no token to send. No message holds it.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum TokenError {
    #[error("--token-file: {} cannot be read: {reason}", file.display())]
    Unreadable { file: PathBuf, reason: io::Error },
    #[error("--token-file: {} holds no token: one line of visible ASCII characters is allowed", file.display())]
    Malformed { file: PathBuf },
}

/// The header for the token in a file, whose line may end with a line break.
pub(super) fn authorization(file: &Path) -> Result<HeaderValue, TokenError> {
    let content =
        fs::read_to_string(file).map_err(|reason| TokenError::Unreadable { file: file.to_owned(), reason })?;
    let token = content.trim_end_matches(['\r', '\n']);
    let malformed = || TokenError::Malformed { file: file.to_owned() };
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(malformed());
    }
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| malformed())?;
    header.set_sensitive(true);
    Ok(header)
}
