//! What every host needs that gives a policy access to Elasticsearch or OpenSearch.
//!
//! A [`Request`](backup_core::Request) comes from code that is not trusted. [`Grants`] checks it and the [`Scope`] of the
//! policy's call that it belongs to, and returns a [`Granted`] request; a host sends no other. [`Retry`] decides whether
//! and when it is sent again, and [`ConnectError`] explains why no node could be reached.

#![deny(missing_docs)]

mod connect;
mod grants;
mod retry;
mod target;

pub use connect::ConnectError;
pub use grants::{Denial, Granted, Grants, KINDS, OTHER_KIND, OperatorRequest, OwnRequest, RestoreScope, Scope};
pub use retry::{EARLY_ANSWER_TIMEOUT, Retry, request_timeout, retry_after};
pub use target::{path, query};
