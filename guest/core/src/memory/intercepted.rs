use crate::{Engine, Request, Response, TransportError};

/// An engine behind a function that sees each request first.
///
/// If the function returns `None`, the engine responds. To lose a response after the engine has executed the request,
/// let the function send the request itself and return another result.
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
    /// Puts `intercept` in front of an engine.
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
