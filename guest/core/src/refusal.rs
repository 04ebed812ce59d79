//! Reads an engine's response: the document that was requested, or the error in its place.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::json::object;
use crate::text::cut;
use crate::{Error, Request, Response};

/// A response whose status is not a success, as the engine explains it.
///
/// An engine can name hundreds of indices in its explanation, which notes, logs and messages then repeat: the texts are
/// cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The `type` of the engine's error: `snapshot_missing_exception`. Empty if something else answered, such as a
    /// proxy with an error page.
    pub kind: String,
    /// The `reason` of the engine's error, or the beginning of whatever came instead.
    pub reason: String,
    /// Type and reason of the innermost `caused_by`: `access_denied_exception: /mnt/backups/snap-1.dat`.
    pub cause: Option<Box<str>>,
    /// The header `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Reads a response whose status is not a success.
    #[must_use]
    pub fn of(response: &Response) -> Self {
        const MAX_BYTES: usize = 2_000;
        let (kind, reason, cause) = match object(&response.body) {
            Ok(ErrorBody { error: ErrorField::Object { kind, reason, caused_by } }) => {
                (kind, reason.unwrap_or_default(), caused_by.as_ref().and_then(innermost))
            }
            Ok(ErrorBody { error: ErrorField::Text(text) }) => (String::new(), text, None),
            Err(_) => (String::new(), beginning(&response.body), None),
        };
        Self {
            status: response.status,
            kind: cut(kind, MAX_BYTES),
            reason: cut(reason, MAX_BYTES),
            cause: cause.map(|cause| cut(cause, MAX_BYTES).into_boxed_str()),
            retry_after: response.retry_after,
        }
    }

    /// The name of a new snapshot is taken.
    pub(crate) fn is_name_in_use(&self) -> bool {
        self.kind == "snapshot_name_already_in_use_exception"
            // Elasticsearch 7.17 and OpenSearch have no kind of its own for it.
            || (self.kind == "invalid_snapshot_name_exception" && self.reason.contains("snapshot with the same name"))
    }

    pub(crate) fn is_repository_missing(&self) -> bool {
        self.kind == "repository_missing_exception"
    }

    pub(crate) fn is_repository_read_only(&self) -> bool {
        self.kind == "repository_exception" && (self.reason.contains("readonly") || self.reason.contains("read-only"))
    }

    pub(crate) fn is_snapshot_missing(&self) -> bool {
        self.kind == "snapshot_missing_exception"
    }

    pub(crate) fn is_index_missing(&self) -> bool {
        self.kind == "index_not_found_exception"
    }

    /// The metadata file of a snapshot is damaged, or cannot be read at the moment.
    pub(crate) fn is_snapshot_unreadable(&self) -> bool {
        self.kind == "snapshot_exception"
    }

    /// An index that is to be restored exists.
    pub(crate) fn is_index_in_the_way(&self) -> bool {
        self.kind == "snapshot_restore_exception" && self.reason.contains("already exists")
    }

    /// An index that is to be created exists.
    pub(crate) fn is_index_there(&self) -> bool {
        matches!(self.kind.as_str(), "resource_already_exists_exception" | "index_already_exists_exception")
    }

    /// Another operation on the same indices or snapshots has to end first.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self.kind.as_str(), "snapshot_in_progress_exception" | "concurrent_snapshot_execution_exception")
    }

    /// The same step of a restore can succeed later. Other refusals of a restore are 500s, too.
    pub(crate) fn can_pass_for_restore(&self) -> bool {
        matches!(self.status, 408 | 429 | 502..=504)
            || (self.status == 500 && self.kind != "snapshot_restore_exception")
            || self.is_held()
    }

    /// No index can have the name that was asked for.
    pub(crate) fn is_name_invalid(&self) -> bool {
        self.kind == "invalid_index_name_exception"
    }

    /// A proxy or load balancer answered in the engine's place, which may have executed the request.
    pub(crate) fn is_from_proxy(&self) -> bool {
        self.status >= 500 && self.kind.is_empty()
    }

    /// The same request can succeed later: the engine is busy, elects a master, or moves a shard.
    pub(crate) fn is_transient(&self) -> bool {
        self.status == 408 || self.status == 429 || self.status >= 500 || self.is_index_missing()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.kind.is_empty() {
            write!(f, " {}", self.kind)?;
        }
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        match &self.cause {
            Some(cause) => write!(f, " (caused by {cause})"),
            None => Ok(()),
        }
    }
}

/// The body of a response with a status of success.
pub(crate) fn success(response: &Response) -> Result<&str, Refusal> {
    match response.status {
        200..=299 => Ok(&response.body),
        _ => Err(Refusal::of(response)),
    }
}

/// Reads a JSON document, which may borrow from its text; `request` is for the error message.
pub(crate) fn document<'a, T: Deserialize<'a>>(request: &Request, body: &'a str) -> Result<T, Error> {
    object(body).map_err(|error| Error::EngineAnswerInvalid {
        request: request.to_string(),
        reason: format!("{error}; it begins: {}", beginning(body)),
    })
}

/// What came instead of an engine's JSON, without line breaks.
fn beginning(body: &str) -> String {
    const MAX_CHARS: usize = 200;
    let mut beginning: String = body.trim().chars().take(MAX_CHARS).filter(|c| !c.is_control()).collect();
    if body.trim().chars().nth(MAX_CHARS).is_some() {
        beginning.push('…');
    }
    beginning
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorField,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorField {
    Object {
        #[serde(rename = "type", default)]
        kind: String,
        reason: Option<String>,
        caused_by: Option<Value>,
    },
    Text(String),
}

/// Type and reason of the last error in a chain of `caused_by`: the outer ones say which request failed, that one why.
fn innermost(mut cause: &Value) -> Option<String> {
    while let Some(inner @ Value::Object(_)) = cause.get("caused_by") {
        cause = inner;
    }
    let texts: Vec<&str> = ["type", "reason"].into_iter().filter_map(|field| cause.get(field)?.as_str()).collect();
    (!texts.is_empty()).then(|| without_identities(&texts.join(": ")))
}

/// Takes out the identities of Java's objects, such as `InputStreamDataInput@6634f3dd`, which differ in each answer.
fn without_identities(text: &str) -> String {
    let mut parts = text.split('@');
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let is_identity = rest.len() < part.len() && !rest.starts_with(char::is_alphanumeric);
        if !is_identity {
            kept.push('@');
        }
        kept.push_str(if is_identity { rest } else { part });
    }
    kept
}

#[cfg(test)]
mod tests;
