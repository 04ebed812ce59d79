//! What every host has in common that lends an engine to a policy.
//!
//! A [`Request`](backup_core::Request) comes from code that is not trusted. [`Grants`] decides by what it is and by
//! the [`Scope`] of the call that it is made in, and hands back a [`Granted`] request; a host sends nothing else.

#![deny(missing_docs)]

mod grants;
mod retry;
mod target;

pub use grants::{Denial, Granted, Grants, Scope};
pub use retry::{may_pass, retry_after};
pub use target::{path, query};
