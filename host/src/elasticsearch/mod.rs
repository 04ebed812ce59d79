//! The capability of a policy: requests to the one engine that the operator configured.
//!
//! A [`Request`] comes from code that is not trusted. [`Grants`] decides, and hands back a [`Granted`]
//! request; a [`Client`] sends nothing else:
//!
//! ```text
//! Request ── Grants::check ──► Granted ── Client::send ──► Response
//!                 └─► Denial                   └─► TransportError
//! ```

mod client;
mod destination;
mod grants;
mod recording;
mod retry;

pub use backup_core::{Method, Request, Response, TransportError};
pub use client::{Client, ClientError};
pub use destination::Destination;
pub(crate) use destination::Submitted;
pub use grants::{Denial, Granted, Grants};
pub use recording::Recording;
