/// Converts the types of a policy's binding into those of this crate.
///
/// `wit/types.wit` becomes Rust types once for the guest and once for the host, by different generators but with the
/// same names. This implements, for a module of such types, [`backup_core::policy_types!`] and the conversions of its
/// `Backup` into [`Backup`](crate::Backup), and of its `BackupProgress` into [`BackupProgress`](crate::BackupProgress).
#[macro_export]
macro_rules! policy_types {
    ($types:path) => {
        $crate::core::policy_types!($types);

        const _: () = {
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

            impl From<types::BackupProgress> for $crate::BackupProgress {
                fn from(progress: types::BackupProgress) -> Self {
                    Self {
                        backup_id: progress.backup_id,
                        state: progress.state.into(),
                        permille: progress.permille,
                        start_time: progress.start_time,
                        elapsed: progress.elapsed,
                        remaining: progress.remaining,
                        parts: progress.parts.into_iter().map(Into::into).collect(),
                    }
                }
            }

            impl From<types::PartProgress> for $crate::PartProgress {
                fn from(part: types::PartProgress) -> Self {
                    let bytes = |types::ByteCount { total, done }| $crate::ByteCount { total, done };
                    let shards = |types::ShardCount { total, done, failed }| $crate::ShardCount { total, done, failed };
                    Self {
                        part: part.part,
                        snapshot_name: part.snapshot_name,
                        state: part.state.into(),
                        bytes: part.bytes.map(bytes),
                        shards: part.shards.map(shards),
                    }
                }
            }

            impl From<types::SnapshotDetail> for $crate::Snapshot {
                fn from(detail: types::SnapshotDetail) -> Self {
                    Self {
                        snapshot_name: detail.snapshot_name,
                        state: detail.state.into(),
                        start_time: detail.start_time,
                        failures: detail.failures,
                    }
                }
            }
        };
    };
}

/// The settings that a policy is given.
#[must_use]
pub fn policy_settings(settings: &backup_settings::Settings) -> backup_core::Settings {
    backup_core::Settings {
        repository: settings.repository.clone(),
        index_prefix: settings.index_prefix.clone(),
        optimize_version: settings.optimize_version.clone(),
        engine: settings.engine,
        resume_window: settings.resume_window,
    }
}
