//! The capability of a policy: requests to the one engine that the operator configured.
//!
//! A [`Request`] comes from code that is not trusted. [`Grants`] checks it and the [`Scope`] of its call, and returns a
//! [`Granted`] request; nothing else is ever sent:
//!
//! ```text
//! Request ── Capability::check ──► Granted ── Destination::send (retries) ── Transport, the Client ──► Response
//!                     └─► Denial                                                  └─► TransportError
//! ```

mod capability;
mod client;
mod clock;
mod cluster;
mod contents;
mod large_response;
mod listed;
mod measured;
mod own_reads;
mod readiness;
mod recording;
mod retry;
mod transport;

pub use backup_core::{Method, Request, Response, TransportError};
pub use backup_elasticsearch::{Denial, Granted, Grants, Scope};
pub use capability::{Capability, Outstanding, Oversteps};
pub use client::{Client, ClientError};
pub(crate) use client::{of_connect, read_certificates, root_cause};
pub use clock::ClockError;
pub use cluster::Cluster;
pub use contents::ContentsError;
pub use large_response::LargeResponsePermit;
pub use listed::{ListError, ListedBackups, ListedSnapshot};
pub use measured::Measured;
pub use own_reads::Answers;
pub use readiness::{Readiness, Subject};
pub use recording::Recording;
pub(crate) use transport::Submitted;
pub use transport::{Destination, ResponseFuture, Transport};
