//! The rules of Camunda Optimize's backups, without any I/O.
//!
//! A backup is two snapshots in one repository. This crate knows what they are called
//! ([`SnapshotName`]), which indices go into which ([`IndexSelection`]), what a set of snapshots
//! amounts to ([`Backup`]), and in which order to ask an engine for what ([`operations`]). The engine
//! itself is behind the [`Engine`] trait: whoever implements its two functions has a backup service.
//!
//! Facts about engines come from observation of Elasticsearch 7.17, 8.11 and 8.19 and OpenSearch 2.19.

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
