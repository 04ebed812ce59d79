use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;

use super::cause;
use crate::elasticsearch::large_response::{LargeResponseLimit, LargeResponsePermit, MAX_UNLIMITED_BYTES};
use crate::elasticsearch::{Response, TransportError};

/// Reads an answer to its end, up to `limit` bytes of body. A large one waits for permit, and takes it.
pub(super) async fn read(
    mut answer: reqwest::Response,
    node: &str,
    limit: usize,
    (large_responses, permit): (&LargeResponseLimit, &LargeResponsePermit),
) -> Result<Response, TransportError> {
    let too_large = || {
        TransportError::Unreadable(format!(
            "{node} sent more than the limit of {limit} bytes (backup.maxResponseBytes)"
        ))
    };
    let cut_off = |error: reqwest::Error| {
        TransportError::Interrupted(format!("{node} ended its answer early: {}", cause::root(&error)))
    };
    let status = answer.status().as_u16();
    let retry_after = answer.headers().get(RETRY_AFTER).and_then(|header| header.to_str().ok());
    let retry_after = retry_after.and_then(|header| backup_elasticsearch::retry_after(header, Timestamp::now()));
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(cut_off)? {
        if chunk.len() > limit - body.len() {
            return Err(too_large());
        }
        if body.len() + chunk.len() > MAX_UNLIMITED_BYTES {
            permit.acquire(large_responses).await?;
        }
        body.extend_from_slice(&chunk);
    }
    let body = String::from_utf8(body)
        .map_err(|error| TransportError::Unreadable(format!("{node} sent something else than text: {error}")))?;
    Ok(Response { status, retry_after, body })
}
