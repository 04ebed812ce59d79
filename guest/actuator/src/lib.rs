//! The bodies and statuses of the actuator API, for every host of a policy.
//!
//! It does no I/O. The host of this project serves the API with Axum, the component of `guest/wasi-http` with
//! `wasi:http`.

#![deny(missing_docs)]

mod actuator;
mod bindings;
mod body;
mod error;
mod health;
mod list;
mod path;
mod progress;
mod restore;
mod retention;
#[cfg(feature = "openapi")]
mod schema;
mod verification;
mod view;

/// For [`policy_types!`].
#[doc(hidden)]
pub use backup_core as core;

pub use actuator::{Info, Links};
pub use bindings::policy_settings;
pub use body::{CreateRequest, MAX_BODY_BYTES, expect_json};
pub use error::{ErrorBody, RequestError, status_of};
pub use health::{
    EngineFacts, Finding, Health, HealthDetails, HealthStatus, IndicesFacts, PolicyFacts, Probe, RepositoryFacts,
    Verification, VerificationFacts,
};
pub use list::{list_query, next_link};
pub use path::normalized;
pub use progress::{BackupProgress, ByteCount, PartProgress, PartProgressView, ProgressView, ShardCount};
pub use restore::{
    FindingView, PlannedIndexView, RestorePlanView, RestoreRequest, RestoreView, RestoredIndexView, percent,
};
pub use retention::{ExpiredView, RetentionRequest, RetentionView, RulesView, ScheduleView, SlotView};
pub use verification::{CheckView, VerificationBegun, VerificationState, VerificationView};
pub use view::{Backup, BackupView, Message, Presentation, Snapshot, SnapshotView};
