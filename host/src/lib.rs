//! The host of backup policies: an HTTP server that runs a policy component in a sandbox, lends it the
//! engine, and drives the backups that it begins to their end.
//!
//! ```text
//! http ──► service ──► operations of the serving policy (WebAssembly) ──► elasticsearch (grants, client) ──► engine
//!             └── runs, deletions: what goes on after the answer
//! ```

pub mod cli;
pub mod clock;
pub mod deletions;
pub mod elasticsearch;
pub mod http;
pub mod metrics;
pub mod operations;
pub mod policies;
pub mod policy;
pub mod readiness;
pub mod runs;
pub mod server;
pub mod service;
mod telemetry;

pub use backup_settings as settings;
