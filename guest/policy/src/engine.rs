use backup_core::{Engine, Request, Response, TransportError};

use crate::bindings::optimize::backup::elasticsearch as wit;

backup_core::capability_types!(crate::bindings::optimize::backup::elasticsearch);

/// The engine, over the host's `elasticsearch` interface.
pub struct Imported;

impl Engine for Imported {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        Ok(wit::send(&request.clone().into())?.into())
    }

    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError> {
        Ok(wit::submit(&request.clone().into())?.map(Into::into))
    }
}
