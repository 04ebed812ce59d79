//! What a rule does to a request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::answer::Answer;

/// Something that goes wrong: what the engine gets, when the caller hears of it, and what.
#[derive(Debug, Clone)]
pub struct Fault {
    pub(super) forward: bool,
    pub(super) delay: Duration,
    pub(super) outcome: Outcome,
}

/// What the caller gets.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// The engine's own answer.
    Genuine,
    /// The engine's own answer with another body.
    Rewritten(Rewrite),
    /// This instead.
    Instead(Answer),
    /// The engine's own answer up to so many bytes of the body, then the end of the connection.
    CutAfter(usize),
    /// The engine's own answer, its body in so many pieces, one each time that so much time has passed.
    Dripping(usize, Duration),
    /// The end of every connection, and no new ones for so long.
    Outage(Duration),
    /// The end of the connection.
    Close,
    /// The end of the connection by a TCP reset.
    Reset,
    /// Nothing, for ever.
    Silence,
}

/// A change to a body.
#[derive(Clone)]
pub(super) struct Rewrite(Arc<dyn Fn(String) -> String + Send + Sync>);

impl Rewrite {
    pub(super) fn apply(&self, answer: Answer) -> Result<Answer> {
        let body = String::from_utf8(answer.body.into()).context("only text can be rewritten")?;
        Ok(Answer { body: (self.0)(body).into(), ..answer })
    }
}

impl fmt::Debug for Rewrite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Rewrite")
    }
}

impl Fault {
    /// Answers with this status and JSON; the engine does not get the request.
    #[must_use]
    pub fn answer(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    /// Answers with this status and text; the engine does not get the request.
    #[must_use]
    pub fn text(status: u16, content_type: &'static str, body: &str) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        let body = Bytes::copy_from_slice(body.as_bytes());
        Self::kept_back(Outcome::Instead(Answer { status, headers, body }))
    }

    /// Answers as an engine does that refuses, with this `type`; it does not get the request.
    #[must_use]
    pub fn engine_error(status: u16, kind: &str) -> Self {
        let cause = json!({ "type": kind, "reason": format!("{kind}, as the test wants it") });
        let mut error = cause.clone();
        if let Some(error) = error.as_object_mut() {
            error.insert("root_cause".to_owned(), json!([cause]));
        }
        Self::answer(status, &json!({ "error": error, "status": status }))
    }

    /// Ends the connection without an answer; the engine does not get the request.
    #[must_use]
    pub fn close() -> Self {
        Self::kept_back(Outcome::Close)
    }

    /// Resets the connection; the engine does not get the request.
    #[must_use]
    pub fn reset() -> Self {
        Self::kept_back(Outcome::Reset)
    }

    /// Never answers; the engine does not get the request.
    #[must_use]
    pub fn silence() -> Self {
        Self::kept_back(Outcome::Silence)
    }

    /// Lets the engine answer, and the caller wait for it.
    #[must_use]
    pub fn delay(delay: Duration) -> Self {
        Self { delay, ..Self::forwarded(Outcome::Genuine) }
    }

    /// Lets the engine answer, but ends the connection after so many bytes of the body.
    #[must_use]
    pub fn cut_after(bytes: usize) -> Self {
        Self::forwarded(Outcome::CutAfter(bytes))
    }

    /// Lets the engine answer, but hands out the body in so many pieces, one each time that `beat` has
    /// passed.
    #[must_use]
    pub fn drip(pieces: usize, beat: Duration) -> Self {
        Self::forwarded(Outcome::Dripping(pieces, beat))
    }

    /// Ends every connection and refuses new ones for so long; the engine does not get the request.
    #[must_use]
    pub fn outage(duration: Duration) -> Self {
        Self::kept_back(Outcome::Outage(duration))
    }

    /// Lets the engine answer, and changes the body.
    #[must_use]
    pub fn rewrite(change: impl Fn(String) -> String + Send + Sync + 'static) -> Self {
        Self::forwarded(Outcome::Rewritten(Rewrite(Arc::new(change))))
    }

    /// The same for the caller, but the engine has got the request and acted on it.
    #[must_use]
    pub fn after_forwarding(mut self) -> Self {
        self.forward = true;
        self
    }

    /// The same, so much later.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Adds a header to an answer of ours; its name in lower case, such as `retry-after`.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Outcome::Instead(answer) = &mut self.outcome {
            answer.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        self
    }

    /// Whether who waits no longer than this does not get the whole answer.
    #[must_use]
    pub fn outlasts(&self, timeout: Duration) -> bool {
        match self.outcome {
            Outcome::Silence => true,
            Outcome::Dripping(_, beat) => beat > timeout,
            _ => self.delay > timeout,
        }
    }

    /// No fault at all.
    pub(super) fn none() -> Self {
        Self::forwarded(Outcome::Genuine)
    }

    fn kept_back(outcome: Outcome) -> Self {
        Self { forward: false, delay: Duration::ZERO, outcome }
    }

    fn forwarded(outcome: Outcome) -> Self {
        Self { forward: true, delay: Duration::ZERO, outcome }
    }
}
