use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Granted, Response, TransportError};

type Answer = Result<Response, TransportError>;

/// One call's requests with the engine's answers, to be replayed to another call.
///
/// It holds a limited number of bytes; a call that reads more is not recorded at all.
#[derive(Debug)]
pub struct Recording(Mutex<State>);

#[derive(Debug)]
struct State {
    /// `None`: the call read more than may be kept.
    reads: Option<Vec<RecordedRead>>,
    bytes_left: usize,
    misses: u64,
}

#[derive(Debug)]
struct RecordedRead {
    request: Granted,
    answer: Answer,
    is_replayed: bool,
}

impl Recording {
    /// An empty record of at most `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        Self(Mutex::new(State { reads: Some(Vec::new()), bytes_left: max_bytes, misses: 0 }))
    }

    pub fn is_complete(&self) -> bool {
        self.state().reads.is_some()
    }

    /// How many replayed requests were not in the record.
    pub fn misses(&self) -> u64 {
        self.state().misses
    }

    pub(super) fn record(&self, request: &Granted, answer: &Answer) {
        let mut state = self.state();
        match state.bytes_left.checked_sub(size(request, answer)) {
            Some(left) => state.bytes_left = left,
            None => state.reads = None,
        }
        if let Some(reads) = &mut state.reads {
            reads.push(RecordedRead { request: request.clone(), answer: answer.clone(), is_replayed: false });
        }
    }

    /// The recorded answer to the same request. Of a request that was made several times: each answer in turn,
    /// then the last one again.
    pub(super) fn replay(&self, request: &Granted) -> Option<Answer> {
        let mut state = self.state();
        let reads = state.reads.iter_mut().flatten().filter(|read| read.request == *request);
        let mut last = None;
        for read in reads {
            last = Some(read.answer.clone());
            if !std::mem::replace(&mut read.is_replayed, true) {
                return last;
            }
        }
        if last.is_none() {
            state.misses += 1;
        }
        last
    }

    fn state(&self) -> MutexGuard<'_, State> {
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
    request.path.iter().map(String::len).chain(query).sum::<usize>() + told + size_of::<RecordedRead>()
}

#[cfg(test)]
mod tests;
