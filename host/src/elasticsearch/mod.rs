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
mod grants;
mod request;

pub use client::{Authentication, Client, ClientError, Connection, Limits, Node};
pub use grants::{Denial, Granted, Grants};
pub use request::{Method, Request, Response, TransportError};
