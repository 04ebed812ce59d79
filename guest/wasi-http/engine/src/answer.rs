use backup_core::{Response, TransportError};
use backup_elasticsearch::retry_after;
use backup_settings::Node;

use crate::bindings::wasi::http::types::IncomingResponse;
use crate::bindings::wasi::io::streams::StreamError;
use crate::clock::{self, Deadline};

/// How much is read at once.
const CHUNK: u64 = 64 << 10;

/// Reads an answer to its end, up to `limit` bytes of body.
pub(crate) fn read(
    answer: &IncomingResponse,
    node: &Node,
    limit: usize,
    deadline: &Deadline,
) -> Result<Response, TransportError> {
    let status = answer.status();
    let retry_after = answer.headers().get("retry-after").into_iter().next();
    let retry_after = retry_after.and_then(|text| retry_after_of(&text));
    let body = read_body(answer, node, limit, deadline)?;
    let body = String::from_utf8(body)
        .map_err(|error| TransportError::Unreadable(format!("{node} sent something else than text: {error}")))?;
    Ok(Response { status, retry_after, body })
}

fn retry_after_of(header: &[u8]) -> Option<std::time::Duration> {
    retry_after(std::str::from_utf8(header).ok()?, clock::now())
}

fn read_body(
    answer: &IncomingResponse,
    node: &Node,
    limit: usize,
    deadline: &Deadline,
) -> Result<Vec<u8>, TransportError> {
    let cut_off = |cause: &str| TransportError::Interrupted(format!("{node} ended its answer early: {cause}"));
    let incoming = answer.consume().map_err(|()| cut_off("the host has no body"))?;
    let stream = incoming.stream().map_err(|()| cut_off("the host has no body"))?;
    let mut body = Vec::new();
    while deadline.wait_for(&stream.subscribe()) {
        match stream.read(CHUNK) {
            Ok(chunk) if chunk.len() > limit - body.len() => {
                return Err(TransportError::Unreadable(format!("{node} sent more than the limit of {limit} bytes")));
            }
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(body),
            Err(StreamError::LastOperationFailed(error)) => return Err(cut_off(&error.to_debug_string())),
        }
    }
    Err(cut_off("the time was up (backup.callTimeout)"))
}
