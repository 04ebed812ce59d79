//! What a server answers, or something else in its place.

use axum::response::Response;
use backup_actuator::ErrorBody;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderName, LOCATION};
use serde::de::DeserializeOwned;

use super::error::{ClientError, ForeignAnswer, Refusal, is_unauthorized};

/// More than a list of a hundred thousand backups.
const MAX_BYTES: usize = 256 << 20;

/// An answer of the API: as it was sent, and read.
#[derive(Debug)]
pub(in crate::cli) struct Received<T> {
    /// The JSON.
    pub(in crate::cli) json: String,
    /// The same, typed.
    pub(in crate::cli) body: T,
}

/// An answer of whoever it was.
pub(super) struct Answer {
    server: String,
    status: StatusCode,
    content_type: Option<String>,
    location: Option<String>,
    text: String,
}

impl Answer {
    /// Reads it to its end.
    pub(super) async fn read(server: String, mut response: reqwest::Response) -> Result<Self, ReadError> {
        let header = |name: HeaderName| Some(one_line(response.headers().get(name)?.to_str().ok()?));
        let (content_type, location) = (header(CONTENT_TYPE), header(LOCATION));
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > MAX_BYTES {
                return Err(ReadError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into());
        Ok(Self { server, status, content_type, location, text })
    }

    /// Reads that of a router in this process.
    pub(super) async fn collect(server: String, response: Response) -> Result<Self, axum::Error> {
        let (parts, body) = response.into_parts();
        let header = |name: HeaderName| Some(one_line(parts.headers.get(name)?.to_str().ok()?));
        let (content_type, location) = (header(CONTENT_TYPE), header(LOCATION));
        let bytes = axum::body::to_bytes(body, MAX_BYTES).await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Self { server, status: parts.status, content_type, location, text })
    }

    /// The body of a success with this status.
    pub(super) fn expect<T: DeserializeOwned>(self, status: StatusCode) -> Result<Received<T>, ClientError> {
        if self.status != status {
            return Err(self.into_error());
        }
        match serde_json::from_str(&self.text) {
            Ok(body) => Ok(Received { json: self.text, body }),
            Err(_) => Err(self.into_error()),
        }
    }

    /// A success without a body.
    pub(super) fn expect_nothing(self, status: StatusCode) -> Result<(), ClientError> {
        if self.status == status { Ok(()) } else { Err(self.into_error()) }
    }

    /// The body, if it is JSON, whatever the status says.
    pub(super) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.text).ok()
    }

    pub(super) fn into_error(self) -> ClientError {
        match serde_json::from_str::<ErrorBody<'_>>(&self.text) {
            Ok(body) if !self.status.is_success() => refusal(self.status, body).into(),
            _ => self.into_foreign().into(),
        }
    }

    fn into_foreign(self) -> ForeignAnswer {
        let Self { server, status, content_type, location, .. } = self;
        let explanation = match (status, location) {
            (status, Some(location)) if status.is_redirection() => {
                format!(", a redirection to {location}: check --url")
            }
            (status, _) if is_unauthorized(status) => {
                ": the token is missing, wrong or not enough; see --token-file".into()
            }
            (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT, _) => {
                ": something in between, such as a proxy, does not reach optimize-backup; check that it runs".into()
            }
            _ => {
                let form = content_type.map(|form| format!(" ({form})")).unwrap_or_default();
                format!(", but not as optimize-backup does{form}: check --url, and what is in between")
            }
        };
        ForeignAnswer { server, status, explanation }
    }
}

/// Why an answer did not arrive whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Interrupted(#[from] reqwest::Error),
    #[error("the answer is larger than {MAX_BYTES} bytes: check --url")]
    TooLarge,
}

fn refusal(status: StatusCode, body: ErrorBody<'_>) -> Refusal {
    let mut message = one_line(&body.error_message);
    if let Some(detail) =
        body.detailed_message.map(|detail| one_line(&detail)).filter(|d| !message.contains(d.as_str()))
    {
        message = format!("{message} ({detail})");
    }
    if is_unauthorized(status) {
        message.push_str("; see --token-file");
    }
    Refusal { status, code: one_line(&body.error_code), message }
}

/// Foreign text for a terminal: without control characters, and not too long.
pub(in crate::cli) fn one_line(text: &str) -> String {
    const MAX_CHARS: usize = 2_000;
    text.chars().take(MAX_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
