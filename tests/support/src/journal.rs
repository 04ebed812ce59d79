//! The requests to hosts, to send others the same.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records the requests to the hosts that are started with it. Clones share their records.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Records>>);

#[derive(Debug, Default)]
struct Records {
    entries: Vec<Entry>,
    leaves_out: bool,
}

/// The requests to the hosts with the same settings.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whom it is about.
    pub subject: Subject,
    /// Each different request once, with the status of its last answer.
    pub requests: Vec<(SentRequest, u16)>,
}

/// How a host was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its variables; those that led to a proxy lead to the engine itself.
    pub environment: Vec<(String, String)>,
    /// Whether there was a proxy between it and the engine.
    pub behind_proxy: bool,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRequest {
    /// The verb.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Journal {
    /// What was recorded so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.clone()
    }

    /// Whether there was a host whose requests are left out on purpose.
    #[must_use]
    pub fn leaves_out(&self) -> bool {
        self.lock().leaves_out
    }

    pub(crate) fn leave_out(&self) {
        self.lock().leaves_out = true;
    }

    /// Records a request and the status of its answer.
    pub(crate) fn record(&self, subject: &Subject, request: SentRequest, status: u16) {
        let entries = &mut self.lock().entries;
        match entries.iter_mut().find(|entry| entry.subject == *subject) {
            Some(entry) => entry.record(request, status),
            None => entries.push(Entry { subject: subject.clone(), requests: vec![(request, status)] }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SentRequest {
    /// None for a body that can be sent only once.
    pub(crate) fn new(method: &str, path: &str, headers: &[(&str, &str)], body: &reqwest::Body) -> Option<Self> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = body.as_bytes()?.to_vec();
        Some(Self { method: method.to_owned(), path: path.to_owned(), headers, body })
    }
}

impl Entry {
    fn record(&mut self, request: SentRequest, status: u16) {
        match self.requests.iter_mut().find(|(known, _)| *known == request) {
            Some((_, last)) => *last = status,
            None => self.requests.push((request, status)),
        }
    }
}
