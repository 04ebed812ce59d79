//! The rules of Camunda Optimize's backups, without any I/O.
//!
//! A backup is two snapshots in one repository. This crate defines their names ([`SnapshotName`]), the indices in each
//! ([`IndexSelection`]), the state of a backup ([`Backup`]), and which requests make, read and delete one
//! ([`operations`]). Requests are sent by an implementation of the trait [`Engine`].
//!
//! *Engine* stands for Elasticsearch or OpenSearch. Facts about engines come from observation of Elasticsearch 7.17, 8.11 and 8.19 and OpenSearch 2.19.
//!
//! # A backup
//!
//! This example uses the engine in memory of the feature `memory`. A real program has an [`Engine`] with an HTTP client,
//! and sleeps where this one puts the clock forward.
//!
//! ```
//! use std::time::Duration;
//!
//! use backup_core::memory::{Dialect, MemoryEngine};
//! use backup_core::operations::{self, Step};
//! use backup_core::{BackupState, Context, EngineClock, EngineKind, IndexPrefix, OptimizeVersion, RepositoryName, Settings};
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
//! // New for every call: the time has passed, and each call writes under a run ID of its own.
//! let context = |run_id: &str| Context {
//!     settings: settings.clone(),
//!     now: engine.now(),
//!     engine_clock: EngineClock::NotAsked,
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
//!         Step { again_in: Some(delay), .. } => engine.pass(delay),
//!         Step { backup, .. } => break backup,
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
//! # What a caller must do
//!
//! - Call [`operations::advance`] until it says that the run has ended. Any host may, at any time and several at once:
//!   the state is in the snapshots.
//! - Return the [`TransportError`] that says whether the engine may have executed a request.
//! - Return every response from [`Engine::send`], whatever its status.
//! - Calls block until the engine has responded. On an asynchronous runtime, give them a thread of their own.

#![deny(missing_docs)]

mod backup;
mod clock;
mod cluster;
mod engine;
mod engine_info;
mod error;
mod id;
mod installation;
pub mod json;
mod listing;
#[cfg(feature = "memory")]
pub mod memory;
mod metadata;
mod name;
pub mod operations;
mod owner;
mod pacing;
mod part;
mod progress;
mod query;
mod refusal;
mod repository;
mod request;
pub mod restore;
pub mod retention;
mod run;
mod selection;
mod settings;
mod snapshot;
mod status;
pub mod text;
mod time;
pub mod verification;
mod version;
mod wit;

pub use backup::{Backup, BackupState};
pub use clock::{ClockDifference, EngineClock};
pub use cluster::{Cluster, ReadError};
pub use engine::{Engine, Response, TransportError};
pub use engine_info::EngineInfo;
pub use error::{Error, ErrorKind};
pub use id::{BackupId, InvalidBackupId};
pub use installation::Installation;
pub use metadata::Origin;
pub use name::{NAME_PREFIX, SnapshotName};
pub use pacing::{Backoff, LEFTOVER_CHECK_DELAYS, RunPacer};
pub use part::Part;
pub use progress::{Amounts, BackupProgress, ByteCount, PartProgress, ShardCount};
pub use query::{IdPattern, InvalidListQuery, ListQuery, PageLimit};
pub use refusal::Refusal;
pub use repository::Registration;
pub use request::{ListMode, Method, Request};
pub use retention::RetentionRules;
pub use run::{NextStep, RunNote};
pub use selection::{IndexSelection, NothingToSnapshot};
pub use settings::{
    Context, EngineKind, IndexPrefix, InvalidIndexPrefix, InvalidRepositoryName, RepositoryName, Settings,
};
pub use snapshot::{Snapshot, SnapshotState};
pub use time::{Timestamp, milliseconds};
pub use version::{InvalidOptimizeVersion, OptimizeVersion};
