//! Backups in JSON, with the names, order and formats of Optimize's API.

use std::borrow::Cow;

use backup_core::{BackupState, SnapshotState};
use backup_settings::CompleteState;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The settings for backups in JSON.
#[derive(Clone, Debug)]
pub struct Presentation {
    /// The word for a backup that can be restored.
    pub complete_state: CompleteState,
    /// The zone of the times.
    pub time_zone: TimeZone,
}

/// A backup, as a policy returns it. [`policy_types!`](crate::policy_types) converts a binding's types into it.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Its number.
    pub backup_id: u64,
    /// Its state.
    pub state: BackupState,
    /// Why it cannot be restored.
    pub failure_reason: Option<String>,
    /// Its snapshots, by part.
    pub details: Vec<Snapshot>,
}

/// One snapshot of a backup.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its full name in the repository.
    pub snapshot_name: String,
    /// Its state.
    pub state: SnapshotState,
    /// When it was started, in milliseconds since the epoch.
    pub start_time: Option<u64>,
    /// One line for each failed shard.
    pub failures: Vec<String>,
}

/// That the search engine has accepted part 1.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// In words.
    pub message: String,
}

impl Message {
    /// A restore has begun.
    #[must_use]
    pub fn restoring(id: u64) -> Self {
        Self {
            message: format!(
                "The restore of the backup with ID {id} has begun. GET /actuator/backups/{id}/restore tells where it stands"
            ),
        }
    }

    /// The engine has accepted part 1.
    #[must_use]
    pub fn scheduled(id: u64) -> Self {
        Self {
            message: format!(
                "Backup creation for ID {id} has been scheduled. Use the GET API to monitor completion of backup process"
            ),
        }
    }
}

/// A backup in JSON.
// Hosts write it, and clients read it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Backup, examples(crate::schema::backup_example)))]
pub struct BackupView {
    /// Its number.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::backup_id))]
    pub backup_id: u64,
    /// Why it cannot be restored.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub failure_reason: Option<String>,
    /// The word for its state.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::backup_state))]
    pub state: Cow<'static, str>,
    /// Its snapshots, by part.
    pub details: Vec<SnapshotView>,
}

/// One snapshot of a backup in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Snapshot))]
pub struct SnapshotView {
    /// Its full name in the repository.
    pub snapshot_name: String,
    /// The word for its state.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::snapshot_state))]
    pub state: Cow<'static, str>,
    /// When it was started: `2022-11-09T10:11:36.978+0100`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub start_time: Option<String>,
    /// One line for each failed shard.
    pub failures: Vec<String>,
}

impl Presentation {
    /// A moment as the API shows it: `2022-11-09T10:11:36.978+0100`.
    #[must_use]
    pub fn time(&self, moment: Timestamp) -> Option<String> {
        format_time(u64::try_from(moment.as_millisecond()).ok()?, &self.time_zone)
    }

    /// The word for a state.
    #[must_use]
    pub fn state(&self, state: BackupState) -> &'static str {
        backup_state(state, self.complete_state)
    }
}

impl BackupView {
    /// Converts a backup.
    #[must_use]
    pub fn new(backup: Backup, presentation: &Presentation) -> Self {
        Self {
            backup_id: backup.backup_id,
            failure_reason: backup.failure_reason,
            state: backup_state(backup.state, presentation.complete_state).into(),
            details: backup.details.into_iter().map(|detail| SnapshotView::new(detail, presentation)).collect(),
        }
    }
}

impl SnapshotView {
    fn new(detail: Snapshot, presentation: &Presentation) -> Self {
        Self {
            snapshot_name: detail.snapshot_name,
            state: detail.state.as_str().into(),
            start_time: detail.start_time.and_then(|millis| format_time(millis, &presentation.time_zone)),
            failures: detail.failures,
        }
    }
}

/// The word for a state.
pub(crate) fn backup_state(state: BackupState, complete: CompleteState) -> &'static str {
    match (state, complete) {
        (BackupState::Complete, CompleteState::Completed) => "COMPLETED",
        _ => state.as_str(),
    }
}

/// `2022-11-09T10:11:36.978+0100`; `None` for a moment beyond the calendar.
pub(crate) fn format_time(millis: u64, zone: &TimeZone) -> Option<String> {
    let moment = Timestamp::from_millisecond(i64::try_from(millis).ok()?).ok()?;
    let offset = zone.to_offset(moment);
    let time = offset.to_datetime(moment);
    // By hand, because a list has tens of thousands of them.
    let mut text = String::with_capacity("2022-11-09T10:11:36.978+0100".len());
    push_number(&mut text, time.year().unsigned_abs().into(), 4);
    for (before, number) in
        [('-', time.month()), ('-', time.day()), ('T', time.hour()), (':', time.minute()), (':', time.second())]
    {
        text.push(before);
        push_number(&mut text, number.unsigned_abs().into(), 2);
    }
    text.push('.');
    push_number(&mut text, time.millisecond().unsigned_abs().into(), 3);
    text.push(if offset.seconds() < 0 { '-' } else { '+' });
    let minutes = offset.seconds().unsigned_abs() / 60;
    push_number(&mut text, minutes / 60, 2);
    push_number(&mut text, minutes % 60, 2);
    Some(text)
}

/// A number with leading zeros.
fn push_number(text: &mut String, number: u32, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests;
