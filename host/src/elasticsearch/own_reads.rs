//! Operations of [`backup_core`] that the host runs itself, without a policy, to check what a policy says.

use std::cell::RefCell;
use std::time::Duration;

use backup_core::{Engine, Error};

use super::{Capability, Request, Response, Scope, TransportError};

/// An operation sends fewer requests.
const MAX_REQUESTS: usize = 32;

impl Capability {
    /// Runs an operation that only reads.
    ///
    /// The core's operations wait for the engine in place. So the operation is run on the answers that are there, and
    /// again with each answer that it lacked.
    pub async fn read_with<T>(
        &self,
        timeout: Duration,
        scope: Scope,
        operation: impl Fn(&Answers) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut answers = Answers::default();
        for _ in 0..MAX_REQUESTS {
            let outcome = operation(&answers);
            let Some(request) = answers.missing.take() else { return outcome };
            let answer = match self.check(request.clone(), scope.clone()) {
                Ok(granted) => self.destination.send_once(&granted, timeout).await,
                Err(denied) => Err(denied),
            };
            answers.known.push((request, answer));
        }
        operation(&answers)
    }
}

/// The engine, as far as it has answered.
#[derive(Debug, Default)]
pub struct Answers {
    known: Vec<(Request, Result<Response, TransportError>)>,
    missing: RefCell<Option<Request>>,
}

impl Engine for Answers {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        if let Some((_, answer)) = self.known.iter().find(|(known, _)| known == request) {
            return answer.clone();
        }
        self.missing.borrow_mut().get_or_insert_with(|| request.clone());
        Err(TransportError::Unreachable("it was not asked yet".to_owned()))
    }

    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError> {
        self.send(request).map(Some)
    }
}
