//! The rules of Camunda Optimize's backups, without any I/O.
//!
//! A backup is two snapshots in one repository. This crate knows what they are called
//! ([`SnapshotName`]), which indices go into which ([`IndexSelection`]), what a set of snapshots
//! amounts to ([`Backup`]), and in which order to ask an engine for what ([`operations`]). The engine
//! itself is behind the [`Engine`] trait: whoever implements its two functions has a backup service.
//!
//! Facts about engines come from observation of Elasticsearch 7.17, 8.11 and 8.19 and OpenSearch 2.19.
//!
//! # A backup
//!
//! Here on the engine in memory, which the feature `memory` brings. A program of yours has an [`Engine`]
//! with its own HTTP client in that place, and waits where this one puts the clock forward.
//!
//! ```
//! use std::time::Duration;
//!
//! use backup_core::memory::{Dialect, MemoryEngine};
//! use backup_core::operations::{self, Progress};
//! use backup_core::{BackupState, Context, EngineKind, IndexPrefix, OptimizeVersion, RepositoryName, Settings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = MemoryEngine::new(Dialect::Elasticsearch8_19);
//! engine.add_repository("backups", false);
//! for index in ["timestamp-based-import-index_v5", "metadata_v3", "settings_v3", "process-instance-invoice_v8"] {
//!     engine.add_index(&format!("optimize-{index}"));
//! }
//! engine.write_within(Duration::from_millis(500));
//!
//! let settings = Settings {
//!     repository: Some(RepositoryName::parse("backups")?),
//!     index_prefix: IndexPrefix::parse("optimize")?,
//!     optimize_version: Some(OptimizeVersion::parse("8.6.0")?),
//!     engine: EngineKind::Elasticsearch,
//!     resume_window: Duration::from_secs(600),
//! };
//! // Fresh for every call: the clock goes on, and each call may write under a run id of its own.
//! let context = |run_id: &str| Context {
//!     settings: settings.clone(),
//!     now: engine.now(),
//!     run_id: run_id.to_owned(),
//!     host: "example".to_owned(),
//!     notes: Vec::new(),
//! };
//!
//! let accepted = operations::create(&engine, &context("run-1"), "7")?;
//! assert_eq!(accepted.part_one.to_string(), "camunda_optimize_7_8.6.0_part_1_of_2");
//!
//! let backup = loop {
//!     match operations::advance(&engine, &context("run-2"), accepted.part_one.backup_id)? {
//!         Progress { again_in: Some(delay), .. } => engine.pass(delay),
//!         Progress { backup, .. } => break backup,
//!     }
//! };
//! assert_eq!(backup.state, BackupState::Complete);
//!
//! let deleted = operations::delete(&engine, &context("run-3"), "7", None)?;
//! assert_eq!(deleted.snapshots.len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # What a caller has to keep to
//!
//! - Call [`operations::advance`] until it says that the run has ended. Anybody may, at any time and
//!   several at once; what counts is in the snapshots.
//! - Tell a lost answer from a request that was not sent: [`TransportError`] says why it matters.
//! - A refused request is an answer: [`Engine::send`] returns it whatever its status.
//! - Calls block until the engine has answered. On an asynchronous runtime, give them a thread of their
//!   own.

#![deny(missing_docs)]

mod answer;
mod backup;
mod cluster;
mod engine;
mod error;
mod id;
mod listing;
#[cfg(feature = "memory")]
pub mod memory;
mod metadata;
mod name;
pub mod operations;
mod part;
mod request;
mod run;
mod selection;
mod settings;
mod snapshot;
mod time;
mod version;

pub use answer::Refusal;
pub use backup::{Backup, BackupState};
pub use cluster::{Cluster, ReadError};
pub use engine::{Engine, Response, TransportError};
pub use error::{Error, ErrorKind};
pub use id::{BackupId, InvalidBackupId};
pub use metadata::Origin;
pub use name::{NAME_PREFIX, SnapshotName};
pub use part::Part;
pub use request::{Method, Request};
pub use run::{RunNote, Step};
pub use selection::{IndexSelection, NothingToSnapshot};
pub use settings::{
    Context, EngineKind, IndexPrefix, InvalidIndexPrefix, InvalidRepositoryName, RepositoryName, Settings,
};
pub use snapshot::{Snapshot, SnapshotState};
pub use time::Timestamp;
pub use version::{InvalidOptimizeVersion, OptimizeVersion};
