//! In place of the host's module of this name: the grants without the client.

#[path = "../../host/src/elasticsearch/grants/mod.rs"]
mod grants;

pub use backup_core::{Method, Request, TransportError};
pub use grants::{Denial, Granted, Grants};
