/// Takes in what a policy answers.
///
/// `wit/types.wit` becomes Rust types once for the guest and once for the host, by different generators
/// but with the same names. This implements the conversions from those in a module: from its `Backup` into
/// [`Backup`](crate::Backup), and from a reference to its `Error` into `backup_core::ErrorKind`.
#[macro_export]
macro_rules! policy_types {
    ($types:path) => {
        const _: () = {
            use $crate::core::{BackupState, ErrorKind, SnapshotState};
            use $types as types;

            impl From<types::Backup> for $crate::Backup {
                fn from(backup: types::Backup) -> Self {
                    Self {
                        backup_id: backup.backup_id,
                        state: backup.state.into(),
                        failure_reason: backup.failure_reason,
                        details: backup.details.into_iter().map(Into::into).collect(),
                    }
                }
            }

            impl From<types::BackupState> for BackupState {
                fn from(state: types::BackupState) -> Self {
                    match state {
                        types::BackupState::Complete => Self::Complete,
                        types::BackupState::InProgress => Self::InProgress,
                        types::BackupState::Failed => Self::Failed,
                        types::BackupState::Incompatible => Self::Incompatible,
                        types::BackupState::Incomplete => Self::Incomplete,
                    }
                }
            }

            impl From<types::SnapshotDetail> for $crate::Snapshot {
                fn from(detail: types::SnapshotDetail) -> Self {
                    Self {
                        snapshot_name: detail.snapshot_name,
                        state: match detail.state {
                            types::SnapshotState::InProgress => SnapshotState::InProgress,
                            types::SnapshotState::Success => SnapshotState::Success,
                            types::SnapshotState::Partial => SnapshotState::Partial,
                            types::SnapshotState::Failed => SnapshotState::Failed,
                            types::SnapshotState::Incompatible => SnapshotState::Incompatible,
                            types::SnapshotState::Unreadable => SnapshotState::Unreadable,
                        },
                        start_time: detail.start_time,
                        failures: detail.failures,
                    }
                }
            }

            impl From<&types::Error> for ErrorKind {
                fn from(error: &types::Error) -> Self {
                    match error {
                        types::Error::InvalidRequest(_) => Self::InvalidRequest,
                        types::Error::Configuration(_) => Self::Configuration,
                        types::Error::Conflict(_) => Self::Conflict,
                        types::Error::NotFound(_) => Self::NotFound,
                        types::Error::Unreachable(_) => Self::Unreachable,
                        types::Error::EngineFailure(_) => Self::EngineFailure,
                        types::Error::Denied(_) => Self::Denied,
                    }
                }
            }
        };
    };
}
