use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Granted, Response, TransportError};

type Answer = Result<Response, TransportError>;

/// What one call read from the engine, so that another call can be told the same.
///
/// It keeps at most so many bytes; of a longer call it keeps nothing.
#[derive(Debug)]
pub struct Recording(Mutex<Tape>);

#[derive(Debug)]
struct Tape {
    /// `None`: there was more than may be kept.
    reads: Option<Vec<Read>>,
    bytes_left: usize,
    unheard_of: u64,
}

#[derive(Debug)]
struct Read {
    request: Granted,
    answer: Answer,
    is_replayed: bool,
}

impl Recording {
    /// Nothing yet, and never more than `largest` bytes.
    #[must_use]
    pub fn new(largest: usize) -> Self {
        Self(Mutex::new(Tape { reads: Some(Vec::new()), bytes_left: largest, unheard_of: 0 }))
    }

    /// Whether everything that was read has been kept.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.tape().reads.is_some()
    }

    /// How many requests were asked for that are not here.
    #[must_use]
    pub fn unheard_of(&self) -> u64 {
        self.tape().unheard_of
    }

    pub(super) fn note(&self, request: &Granted, answer: &Answer) {
        let mut tape = self.tape();
        match tape.bytes_left.checked_sub(size(request, answer)) {
            Some(left) => tape.bytes_left = left,
            None => tape.reads = None,
        }
        if let Some(reads) = &mut tape.reads {
            reads.push(Read { request: request.clone(), answer: answer.clone(), is_replayed: false });
        }
    }

    /// The answer to the same request. To one that was made several times: each answer in its turn, and
    /// the last one from then on.
    pub(super) fn replay(&self, request: &Granted) -> Option<Answer> {
        let mut tape = self.tape();
        let reads = tape.reads.iter_mut().flatten().filter(|read| read.request == *request);
        let mut last = None;
        for read in reads {
            last = Some(read.answer.clone());
            if !std::mem::replace(&mut read.is_replayed, true) {
                return last;
            }
        }
        if last.is_none() {
            tape.unheard_of += 1;
        }
        last
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        // It is consistent between any two statements that change it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About what a read takes in memory.
fn size(request: &Granted, answer: &Answer) -> usize {
    let request = request.request();
    let query = request.query.iter().map(|(name, value)| name.len() + value.len());
    let told = match answer {
        Ok(response) => response.body.len(),
        Err(error) => error.to_string().len(),
    };
    request.path.iter().map(String::len).chain(query).sum::<usize>() + told + size_of::<Read>()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use backup_core::memory::{Dialect, MemoryEngine};
    use backup_core::{IndexPrefix, RepositoryName, Request};

    use super::*;
    use crate::elasticsearch::{Destination, Grants, Method, Scope};

    const BUDGET: Duration = Duration::from_secs(1);

    fn granted(path: &[&str]) -> Granted {
        let grants = Grants::new(RepositoryName::parse("backups").ok(), IndexPrefix::parse("optimize").unwrap());
        let path = path.iter().map(|&segment| segment.to_owned()).collect();
        grants.check(Request { method: Method::Get, path, query: Vec::new(), body: None }, Scope::Read).unwrap()
    }

    fn list() -> Granted {
        granted(&["_snapshot", "backups", "camunda_optimize_*"])
    }

    /// An engine, and what two calls get in its place.
    fn engine(largest: usize) -> (Arc<MemoryEngine>, Destination, Destination, Arc<Recording>) {
        let engine = Arc::new(MemoryEngine::new(Dialect::Elasticsearch8_19));
        let destination = Arc::new(Destination::InProcess(Arc::clone(&engine) as _));
        let recording = Arc::new(Recording::new(largest));
        let recorded = Destination::Recorded(Arc::clone(&destination), Arc::clone(&recording));
        (engine, recorded, Destination::Replayed(destination, Arc::clone(&recording)), recording)
    }

    #[tokio::test]
    async fn the_second_call_is_told_what_the_first_one_was() {
        let (engine, recorded, replayed, recording) = engine(10_000);
        let missing = recorded.send(&list(), BUDGET).await;
        engine.add_repository("backups", false);
        let empty = recorded.send(&list(), BUDGET).await;
        assert_ne!(missing, empty);
        for expected in [&missing, &empty, &empty] {
            assert_eq!(replayed.send(&list(), BUDGET).await, *expected);
        }
        assert_eq!((engine.requests().len(), recording.unheard_of()), (2, 0));
        let unheard_of = granted(&["_snapshot", "backups"]);
        assert_eq!(replayed.send(&unheard_of, BUDGET).await.unwrap().status, 200);
        assert_eq!((engine.requests().len(), recording.unheard_of()), (3, 1));
    }

    #[tokio::test]
    async fn of_too_much_nothing_is_kept() {
        let (_, recorded, _, recording) = engine(1000);
        assert!(recording.is_complete());
        for _ in 0..20 {
            assert!(recorded.send(&list(), BUDGET).await.is_ok());
        }
        assert!(!recording.is_complete());
        assert!(recording.replay(&list()).is_none());
    }
}
