//! Reading what an engine answers: the document that was asked for, or a refusal.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::{Error, Request, Response};

/// An engine's refusal, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The engine's word for the kind of error: `snapshot_missing_exception`. Empty if the answer is
    /// not an engine's, such as a proxy's error page.
    pub kind: String,
    /// The engine's explanation, or the beginning of whatever came instead.
    pub reason: String,
    /// How long the engine asks to wait.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    fn read(response: &Response) -> Self {
        let (kind, reason) = match object(&response.body) {
            Ok(ErrorBody { error: ErrorField::Object { kind, reason } }) => (kind, reason.unwrap_or_default()),
            Ok(ErrorBody { error: ErrorField::Text(text) }) => (String::new(), text),
            Err(_) => (String::new(), excerpt(&response.body)),
        };
        Self { status: response.status, kind: cut(kind), reason: cut(reason), retry_after: response.retry_after }
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

    /// A file that the engine keeps on a snapshot is damaged, or cannot be read at the moment.
    pub(crate) fn is_snapshot_unreadable(&self) -> bool {
        self.kind == "snapshot_exception"
    }

    /// Something between us and the engine answered in its place, after it may have acted.
    pub(crate) fn is_of_a_proxy(&self) -> bool {
        self.status >= 500 && self.kind.is_empty()
    }

    /// The same request can succeed later: the engine is busy, electing, or a shard is on its way.
    pub(crate) fn can_pass(&self) -> bool {
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
        Ok(())
    }
}

/// The body of a success.
pub(crate) fn success(response: &Response) -> Result<&str, Refusal> {
    match response.status {
        200..=299 => Ok(&response.body),
        _ => Err(Refusal::read(response)),
    }
}

/// Reads a document, which may borrow from its text; `request` is for the message when it is none.
pub(crate) fn document<'a, T: Deserialize<'a>>(request: &Request, body: &'a str) -> Result<T, Error> {
    object(body).map_err(|fault| Error::EngineAnswerInvalid {
        request: request.to_string(),
        fault: format!("{fault}; it begins: {}", excerpt(body)),
    })
}

/// Reads a JSON object. By itself serde would also read a struct from an array, and `[]` as "nothing there".
pub(crate) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<T> {
    serde_json::from_str::<Object<T>>(text).map(|object| object.0)
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

/// An engine can name hundreds of indices in its explanation, which notes, logs and messages then repeat.
pub(crate) fn cut(mut text: String) -> String {
    const MAX_BYTES: usize = 2_000;
    if text.len() > MAX_BYTES {
        text.truncate(text.floor_char_boundary(MAX_BYTES));
        text.push('…');
    }
    text
}

fn excerpt(body: &str) -> String {
    const LONGEST: usize = 200;
    let mut excerpt: String = body.trim().chars().take(LONGEST).filter(|c| !c.is_control()).collect();
    if body.trim().chars().nth(LONGEST).is_some() {
        excerpt.push('…');
    }
    excerpt
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
    },
    Text(String),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        success(&Response { status, retry_after: None, body: body.to_owned() }).unwrap_err()
    }

    #[test]
    fn knows_a_taken_name_on_every_engine() {
        for (kind, reason) in [
            (
                "snapshot_name_already_in_use_exception",
                "[r:s] Invalid snapshot name [s], snapshot with the same name already exists",
            ),
            (
                "invalid_snapshot_name_exception",
                "[r:s] Invalid snapshot name [s], snapshot with the same name already exists",
            ),
            (
                "invalid_snapshot_name_exception",
                "[r:s] Invalid snapshot name [s], snapshot with the same name is already in-progress",
            ),
        ] {
            let body = serde_json::json!({"error": {"type": kind, "reason": reason}, "status": 400});
            assert!(refusal(400, &body.to_string()).is_name_in_use(), "{kind} {reason}");
        }
        let capital = r#"{"error":{"type":"invalid_snapshot_name_exception","reason":"[r:S] Invalid snapshot name [S], must be lowercase"},"status":400}"#;
        assert!(!refusal(400, capital).is_name_in_use());
    }

    #[test]
    fn tells_what_came_instead_of_json() {
        let page = refusal(503, "<html>\n<body>Service Unavailable</body></html>");
        assert_eq!(page.to_string(), "503: <html><body>Service Unavailable</body></html>");
        assert_eq!(refusal(401, "").to_string(), "401");
        assert_eq!(
            refusal(405, r#"{"error":"Incorrect HTTP method","status":405}"#).to_string(),
            "405: Incorrect HTTP method"
        );
    }

    #[test]
    fn a_long_explanation_is_cut() {
        let names = "optimize-process-instance-bestellprozeß_v8, ".repeat(1_000);
        let reason = format!("[backups:x] Indices don't have primary shards [{names}]");
        let body = serde_json::json!({"error": {"type": "snapshot_exception", "reason": reason}, "status": 500});
        let cut = refusal(500, &body.to_string());
        assert!(cut.is_snapshot_unreadable());
        assert!(cut.reason.len() <= 2_003 && cut.reason.ends_with('…'), "{}", cut.reason.len());
        assert!(reason.starts_with(cut.reason.trim_end_matches('…')));
    }

    #[test]
    fn an_array_is_no_object() {
        #[derive(Debug, Deserialize)]
        struct Document {
            #[serde(default)]
            number: u8,
        }
        assert_eq!(object::<Document>(" {\"number\": 7}\n").unwrap().number, 7);
        assert_eq!(object::<Document>("{}").unwrap().number, 0);
        for text in ["[]", "[7]", " [7]", "7", "null", "{} {}", ""] {
            assert!(object::<Document>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_any_refusal(status in 300u16..600, body in "\\PC*") {
            let text = refusal(status, &body).to_string();
            prop_assert!(text.starts_with(&status.to_string()));
        }
    }
}
