//! The capability of a policy: requests to the one engine that the operator configured.
//!
//! A [`Request`] comes from code that is not trusted. [`Grants`] decides, by the [`Scope`] of the call that it is made
//! in, and hands back a [`Granted`] request; a [`Client`] sends nothing else:
//!
//! ```text
//! Request ── Grants::check ──► Granted ── Client::send ──► Response
//!                 └─► Denial                   └─► TransportError
//! ```

mod capability;
mod client;
mod readiness;
mod recording;
mod retry;
mod transport;
mod unfinished;

pub use backup_core::{Method, Request, Response, TransportError};
pub use backup_elasticsearch::{Denial, Granted, Grants, Scope};
pub use capability::{Capability, Outstanding, Oversteps};
pub use client::{Client, ClientError};
pub use readiness::Readiness;
pub use recording::Recording;
pub(crate) use transport::Submitted;
pub use transport::{Answering, Destination, Transport};
pub use unfinished::{ListedSnapshot, UnfinishedError};
