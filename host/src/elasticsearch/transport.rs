use std::pin::Pin;
use std::time::Duration;

use super::{Client, Granted, Response, TransportError};

/// An answer that is on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// What brings granted requests to an engine. There is one, the [`Client`], and those of tests.
pub trait Transport: Send + Sync {
    /// Sends a request once and waits for the answer, for at most `budget`.
    fn send<'a>(&'a self, request: &'a Granted, budget: Duration) -> Answering<'a>;

    /// Sends a request that can take minutes: only `patience` ends the wait.
    fn submit<'a>(&'a self, request: &'a Granted, patience: Duration) -> Answering<'a>;
}

impl Transport for Client {
    fn send<'a>(&'a self, request: &'a Granted, budget: Duration) -> Answering<'a> {
        Box::pin(Self::send(self, request, budget))
    }

    fn submit<'a>(&'a self, request: &'a Granted, patience: Duration) -> Answering<'a> {
        Box::pin(Self::submit(self, request, patience))
    }
}
