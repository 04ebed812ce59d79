//! Host functions that a policy component can import.

use tokio::time::Instant;
use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::bindings::Policy as Instance;
use super::bindings::optimize::backup::{elasticsearch as wit, types};
use super::store::Call;
use super::wasi::{self, Deadline};
use crate::elasticsearch::{Method, Request, Response, TransportError};

/// Adds the capability, and WASI without files and network.
pub(super) fn add_to_linker(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    Instance::add_to_linker::<_, HasSelf<Call>>(linker, |call| call)?;
    wasi::add_to_linker(linker)
}

impl wit::Host for Call {
    async fn send(&mut self, request: wit::Request) -> Result<wit::Response, wit::TransportError> {
        Ok(Self::send(self, request.into()).await?.into())
    }

    async fn submit(&mut self, request: wit::Request) -> Result<Option<wit::Response>, wit::TransportError> {
        Ok(Self::submit(self, request.into()).await?.map(Into::into))
    }
}

impl types::Host for Call {}

impl WasiView for Call {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi().view()
    }
}

impl Deadline for Call {
    fn deadline(&self) -> Instant {
        self.deadline
    }
}

impl From<wit::Request> for Request {
    fn from(request: wit::Request) -> Self {
        Self {
            method: match request.method {
                wit::Method::Get => Method::Get,
                wit::Method::Put => Method::Put,
                wit::Method::Delete => Method::Delete,
            },
            path: request.path,
            query: request.query,
            body: request.body,
        }
    }
}

impl From<Response> for wit::Response {
    fn from(response: Response) -> Self {
        let retry_after = response.retry_after.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        Self { status: response.status, retry_after, body: response.body }
    }
}

impl From<TransportError> for wit::TransportError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Denied(text) => Self::Denied(text),
            TransportError::Unreachable(text) => Self::Unreachable(text),
            TransportError::Interrupted(text) => Self::Interrupted(text),
            TransportError::Unreadable(text) => Self::Unreadable(text),
        }
    }
}
