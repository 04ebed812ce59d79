use crate::{Engine, Request, Response, TransportError};

/// An engine with somebody in between, who answers in its place or looks on.
///
/// The function is asked first. `None`: the engine is to answer. To lose an answer after the engine
/// has acted, let the function send the request itself and return another one.
#[derive(Debug)]
pub struct Intercepted<'a, E, F> {
    engine: &'a E,
    intercept: F,
}

impl<'a, E, F> Intercepted<'a, E, F>
where
    E: Engine,
    F: Fn(&Request) -> Option<Result<Response, TransportError>>,
{
    /// An engine that is asked only what `intercept` does not answer.
    pub fn new(engine: &'a E, intercept: F) -> Self {
        Self { engine, intercept }
    }
}

impl<E, F> Engine for Intercepted<'_, E, F>
where
    E: Engine,
    F: Fn(&Request) -> Option<Result<Response, TransportError>>,
{
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        (self.intercept)(request).unwrap_or_else(|| self.engine.send(request))
    }

    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError> {
        match (self.intercept)(request) {
            Some(answer) => answer.map(Some),
            None => self.engine.submit(request),
        }
    }
}
