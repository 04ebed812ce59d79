//! What was asked of hosts, to ask the same of others.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Notes the requests to the hosts that are started with it. Clones share their notes.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    entries: Vec<Entry>,
    leaves_out: bool,
}

/// What was asked of the hosts with the same settings.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whom it is about.
    pub subject: Subject,
    /// Each different request once, with the status of its last answer.
    pub asked: Vec<(Asked, u16)>,
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
pub struct Asked {
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
    /// What was noted so far.
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

    /// Notes a request and the status of its answer.
    pub(crate) fn note(&self, subject: &Subject, asked: Asked, status: u16) {
        let entries = &mut self.lock().entries;
        match entries.iter_mut().find(|entry| entry.subject == *subject) {
            Some(entry) => entry.note(asked, status),
            None => entries.push(Entry { subject: subject.clone(), asked: vec![(asked, status)] }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// None for a body that can be sent only once.
    pub(crate) fn new(method: &str, path: &str, headers: &[(&str, &str)], body: &reqwest::Body) -> Option<Self> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = body.as_bytes()?.to_vec();
        Some(Self { method: method.to_owned(), path: path.to_owned(), headers, body })
    }
}

impl Entry {
    fn note(&mut self, asked: Asked, status: u16) {
        match self.asked.iter_mut().find(|(known, _)| *known == asked) {
            Some((_, last)) => *last = status,
            None => self.asked.push((asked, status)),
        }
    }
}
