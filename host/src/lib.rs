//! The host of backup policies: an HTTP server that runs a policy component in a sandbox, lends it the
//! engine, and drives the backups that it begins to their end.
//!
//! ```text
//! http ──► backups ──► policy (which one serves) ──► sandbox (WebAssembly) ──► elasticsearch (grants, client) ──► engine
//! ```

pub mod backups;
pub mod cli;
pub mod clock;
pub mod correlation;
pub mod elasticsearch;
pub mod http;
pub mod metrics;
pub mod policy;
pub mod rotation;
pub mod sandbox;
pub mod server;
pub mod telemetry;

pub use backup_settings as settings;
