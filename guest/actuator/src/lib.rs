//! The actuator API as bodies and statuses: what every host of a policy answers in the same way.
//!
//! Nothing here knows how requests arrive. The host of this project serves it over Axum, the component of
//! `guest/wasi-http` over `wasi:http`.

#![deny(missing_docs)]

mod actuator;
mod bindings;
mod body;
mod error;
mod health;
mod view;

/// For [`policy_types!`].
#[doc(hidden)]
pub use backup_core as core;

pub use actuator::{info, links};
pub use body::{CreateRequest, LARGEST_BODY, expect_json};
pub use error::{ErrorBody, RequestError, status_of};
pub use health::{Health, Probe};
pub use view::{Backup, BackupView, Message, Presentation, Snapshot};
