//! What the OpenAPI document says of the bodies that their types do not.

use serde_json::{Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};

/// The largest backup ID: what a Java long holds.
const MAX_BACKUP_ID: i64 = i64::MAX;

/// The word for a backup's state. `COMPLETED` takes the place of `COMPLETE` where it is set so.
pub(crate) fn backup_state() -> Object {
    words(&["COMPLETE", "COMPLETED", "FAILED", "INCOMPATIBLE", "INCOMPLETE", "IN_PROGRESS"])
        .description(Some("Its state. COMPLETED takes the place of COMPLETE where backup.completeState says so."))
        .build()
}

/// The word for a snapshot's state.
pub(crate) fn snapshot_state() -> Object {
    words(&["FAILED", "INCOMPATIBLE", "IN_PROGRESS", "PARTIAL", "SUCCESS", "UNREADABLE"])
        .description(Some("Its state. UNREADABLE: its metadata in the repository cannot be read."))
        .build()
}

fn words(allowed: &[&str]) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(allowed.iter().copied()))
}

/// A backup ID as the server writes it.
pub(crate) fn backup_id() -> Object {
    integer_id().description(Some("Its ID.")).build()
}

fn integer_id() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1_i64))
        .maximum(Some(MAX_BACKUP_ID))
}

/// A backup ID as callers may write it.
pub(crate) fn written_backup_id() -> Schema {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[1-9][0-9]{0,18}$"))
        .description(Some("The same in digits, up to 9223372036854775807."));
    let id = AnyOfBuilder::new()
        .item(integer_id())
        .item(text)
        .description(Some("The ID of the backup: a whole number that was not used before, such as a time."))
        .examples([json!(1_764_251_289)]);
    Schema::AnyOf(id.build())
}

pub(crate) fn backup_example() -> Value {
    json!({
        "backupId": 123_456,
        "failureReason": null,
        "state": "COMPLETE",
        "details": [
            {
                "snapshotName": "camunda_optimize_123456_8.6.0_part_1_of_2",
                "state": "SUCCESS",
                "startTime": "2026-01-09T10:11:36.978+0100",
                "failures": []
            },
            {
                "snapshotName": "camunda_optimize_123456_8.6.0_part_2_of_2",
                "state": "SUCCESS",
                "startTime": "2026-01-09T10:11:37.178+0100",
                "failures": []
            }
        ]
    })
}

#[cfg(test)]
mod tests {
    use backup_core::{BackupState, SnapshotState};

    use super::*;

    fn allowed(object: Object) -> Vec<Value> {
        object.enum_values.unwrap_or_default()
    }

    #[test]
    fn the_words_are_those_of_the_states() {
        for state in [
            BackupState::Complete,
            BackupState::InProgress,
            BackupState::Failed,
            BackupState::Incompatible,
            BackupState::Incomplete,
        ] {
            assert!(allowed(backup_state()).contains(&json!(state.as_str())), "{state}");
        }
        for state in [
            SnapshotState::InProgress,
            SnapshotState::Success,
            SnapshotState::Partial,
            SnapshotState::Failed,
            SnapshotState::Incompatible,
            SnapshotState::Unreadable,
        ] {
            assert!(allowed(snapshot_state()).contains(&json!(state.as_str())), "{state}");
        }
    }
}
