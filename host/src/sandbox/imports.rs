//! Host functions that a policy component can import.

use tokio::time::Instant;
use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::bindings::Policy as Instance;
use super::bindings::optimize::backup::{elasticsearch as wit, types};
use super::store::CallState;
use super::wasi::{self, Deadline};

backup_core::capability_types!(crate::sandbox::bindings::optimize::backup::elasticsearch);

/// Adds the capability, and WASI without files and network.
pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    Instance::add_to_linker::<_, HasSelf<CallState>>(linker, |call| call)?;
    wasi::add_to_linker(linker)
}

impl wit::Host for CallState {
    async fn send(&mut self, request: wit::Request) -> Result<wit::Response, wit::TransportError> {
        Ok(Self::send(self, request.into()).await?.into())
    }

    async fn submit(&mut self, request: wit::Request) -> Result<Option<wit::Response>, wit::TransportError> {
        Ok(Self::submit(self, request.into()).await?.map(Into::into))
    }
}

impl types::Host for CallState {}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi().view()
    }
}

impl Deadline for CallState {
    fn deadline(&self) -> Instant {
        self.deadline
    }
}
