//! How far a backup is, in JSON.

use std::borrow::Cow;

use backup_core::{BackupState, SnapshotState};
use serde::{Deserialize, Serialize};

use crate::Presentation;
use crate::view::{backup_state, format_time};

/// How far a backup is, as a policy returns it. [`policy_types!`](crate::policy_types) converts a binding's types into it.
#[derive(Clone, Debug)]
pub struct BackupProgress {
    /// Its number.
    pub backup_id: u64,
    /// Its state.
    pub state: BackupState,
    /// How much of it is done, in thousandths.
    pub permille: u16,
    /// When part 1 was started, in milliseconds since the epoch.
    pub start_time: Option<u64>,
    /// From then until its end, or until now, in milliseconds.
    pub elapsed: Option<u64>,
    /// How long it will probably go on, in milliseconds.
    pub remaining: Option<u64>,
    /// Its snapshots, by part.
    pub parts: Vec<PartProgress>,
}

/// How far one part of a backup is.
#[derive(Clone, Debug)]
pub struct PartProgress {
    /// 1 or 2.
    pub part: u8,
    /// The snapshot's full name in the repository.
    pub snapshot_name: String,
    /// Its state.
    pub state: SnapshotState,
    /// `None`: not known.
    pub bytes: Option<ByteCount>,
    /// `None`: not known.
    pub shards: Option<ShardCount>,
}

/// How many bytes are new in a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ByteCount {
    /// All. While it runs, an estimate.
    pub total: u64,
    /// Written so far.
    pub done: u64,
}

/// How many shards a snapshot is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShardCount {
    /// All.
    pub total: u32,
    /// Written.
    pub done: u32,
    /// Not written, and given up.
    pub failed: u32,
}

/// How far a backup is, in JSON.
// Hosts write it, and clients read it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Progress))]
pub struct ProgressView {
    /// Its number.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::backup_id))]
    pub backup_id: u64,
    /// The word for its state.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::backup_state))]
    pub state: Cow<'static, str>,
    /// How much of it is done, with one decimal place.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub percent: f64,
    /// Of all parts. `None`: not known of any.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub bytes: Option<ByteCount>,
    /// Of all parts. `None`: not known of any.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub shards: Option<ShardCount>,
    /// When part 1 was started: `2022-11-09T10:11:36.978+0100`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub start_time: Option<String>,
    /// From then until its end, or until now.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub elapsed_seconds: Option<u64>,
    /// How long it will probably go on.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub remaining_seconds: Option<u64>,
    /// Its snapshots, by part.
    pub parts: Vec<PartProgressView>,
}

/// How far one part of a backup is, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PartProgress))]
pub struct PartProgressView {
    /// 1 or 2.
    pub part: u8,
    /// The snapshot's full name in the repository.
    pub snapshot_name: String,
    /// The word for its state.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::snapshot_state))]
    pub state: Cow<'static, str>,
    /// `None`: not known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub bytes: Option<ByteCount>,
    /// `None`: not known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub shards: Option<ShardCount>,
}

impl ProgressView {
    /// Converts what a policy returned.
    #[must_use]
    pub fn new(progress: BackupProgress, presentation: &Presentation) -> Self {
        let parts = || progress.parts.iter();
        Self {
            backup_id: progress.backup_id,
            state: backup_state(progress.state, presentation.complete_state).into(),
            percent: f64::from(progress.permille) / 10.0,
            bytes: parts().filter_map(|part| part.bytes).reduce(ByteCount::plus),
            shards: parts().filter_map(|part| part.shards).reduce(ShardCount::plus),
            start_time: progress.start_time.and_then(|millis| format_time(millis, &presentation.time_zone)),
            elapsed_seconds: progress.elapsed.map(|millis| millis / 1000),
            remaining_seconds: progress.remaining.map(|millis| millis.div_ceil(1000)),
            parts: progress.parts.into_iter().map(PartProgressView::new).collect(),
        }
    }
}

impl PartProgressView {
    fn new(part: PartProgress) -> Self {
        Self {
            part: part.part,
            snapshot_name: part.snapshot_name,
            state: part.state.as_str().into(),
            bytes: part.bytes,
            shards: part.shards,
        }
    }
}

impl ByteCount {
    fn plus(self, other: Self) -> Self {
        Self { total: self.total.saturating_add(other.total), done: self.done.saturating_add(other.done) }
    }
}

impl ShardCount {
    fn plus(self, other: Self) -> Self {
        Self {
            total: self.total.saturating_add(other.total),
            done: self.done.saturating_add(other.done),
            failed: self.failed.saturating_add(other.failed),
        }
    }
}

#[cfg(test)]
mod tests;
