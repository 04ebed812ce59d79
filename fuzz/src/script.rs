//! A scripted engine: whatever answers a text lists, in their order.
//!
//! The text is meant to be read and written by people, as the seeds are, and to stay meaningful when a
//! fuzzer changes it. Answers are separated by lines of three dashes; the first line of each is the HTTP
//! status, or a word for a missing answer, and the rest is the body.

use std::cell::RefCell;
use std::time::Duration;

use backup_core::{Engine, Method, Request, Response, TransportError};
use backup_elasticsearch::{Denial, Grants, Scope};

/// What separates answers.
const SEPARATOR: &str = "\n---\n";

/// An engine that gives scripted answers and remembers what it was asked.
///
/// As in the host, it is asked only for what is granted to a call of this scope.
pub struct Script<'a> {
    grants: Grants,
    scope: Scope,
    answers: RefCell<Vec<&'a str>>,
    asked: RefCell<Vec<Request>>,
}

impl<'a> Script<'a> {
    /// Reads the answers.
    #[must_use]
    pub fn new(grants: Grants, scope: Scope, text: &'a str) -> Self {
        let answers = text.split(SEPARATOR).collect::<Vec<_>>().into_iter().rev().collect();
        Self { grants, scope, answers: RefCell::new(answers), asked: RefCell::default() }
    }

    /// The requests that reached the engine, in their order.
    #[must_use]
    pub fn asked(self) -> Vec<Request> {
        self.asked.into_inner()
    }

    fn answer(&self, request: &Request) -> Result<Option<Response>, TransportError> {
        assert_grounded(request);
        let checked = self.grants.check(request.clone(), self.scope.clone());
        if let Err(denial @ Denial::Scope { .. }) = &checked {
            panic!("the rules ask for more than the call is for: {denial}");
        }
        let granted = checked?;
        self.asked.borrow_mut().push(granted.request().clone());
        let answer = self.answers.borrow_mut().pop();
        answer.map_or_else(|| Err(TransportError::Unreachable("the script has ended".into())), read)
    }
}

impl Engine for Script<'_> {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        self.answer(request)?.ok_or_else(|| TransportError::Interrupted("no answer".into()))
    }

    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError> {
        self.answer(request)
    }
}

/// Requests that the rules must not send, whatever is granted.
fn assert_grounded(request: &Request) {
    assert!(request.path.iter().all(|segment| !segment.is_empty()));
    assert!(request.method != Method::Delete || !request.path.iter().any(|segment| segment.contains(['*', '?'])));
    assert_eq!(request.body.is_some(), request.method == Method::Put);
}

fn read(answer: &str) -> Result<Option<Response>, TransportError> {
    let (first, body) = answer.split_once('\n').unwrap_or((answer, ""));
    match first {
        "pending" => Ok(None),
        "unreachable" => Err(TransportError::Unreachable(body.to_owned())),
        "interrupted" => Err(TransportError::Interrupted(body.to_owned())),
        "unreadable" => Err(TransportError::Unreadable(body.to_owned())),
        _ => Ok(Some(response(first, body))),
    }
}

/// `503 2`: a status, and how many seconds the engine asks to wait.
fn response(first: &str, body: &str) -> Response {
    let (status, seconds) = first.split_once(' ').unwrap_or((first, ""));
    Response {
        status: status.parse().unwrap_or(200),
        retry_after: seconds.parse().ok().map(Duration::from_secs),
        body: body.to_owned(),
    }
}
