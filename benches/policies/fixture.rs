//! The host and the engine that everything is measured with.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use backup_core::memory::{MemoryEngine, StoredSnapshot};
use backup_core::{EngineKind, IndexPrefix, RepositoryName, SnapshotState};
use backup_test_hosts::{Options, TestHost};
use backup_test_support::installation::part;
use backup_test_support::memory::{PREFIX, engine_with_installation, now};
use optimize_backup::sandbox::CallLimits;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_optimize-backup");
pub(crate) const REPOSITORY: &str = "backups";
const RESUME_WINDOW: Duration = Duration::from_secs(600);

/// The limits that are the defaults.
pub(crate) const LIMITS: CallLimits = CallLimits {
    memory: 64 << 20,
    cpu_time: Duration::from_secs(5),
    wall_time: Duration::from_secs(60),
    engine_calls: 64,
    transfer: 32 << 20,
};

/// Wasmtime's error as one of `anyhow`.
pub(crate) fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

/// A host with these limits, on an engine with as many snapshots. It withdraws no policy.
pub(crate) fn host(snapshots: usize) -> TestHost {
    let options = Options { limits: LIMITS, max_failures: u32::MAX, ..Options::new(BINARY) };
    let host = TestHost::new(options);
    store(&host.engine, snapshots);
    host
}

/// An engine with as many snapshots, for a host in another process.
pub(crate) fn engine(snapshots: usize) -> Arc<MemoryEngine> {
    let engine = engine_with_installation(REPOSITORY);
    store(&engine, snapshots);
    Arc::new(engine)
}

/// Two snapshots of each backup, as far as that goes.
fn store(engine: &MemoryEngine, snapshots: usize) {
    let now = engine.now();
    for (id, number) in (1..).flat_map(|id| [(id, 1), (id, 2)]).take(snapshots) {
        engine.store(REPOSITORY, StoredSnapshot::new(&part(id, number), SnapshotState::Success, now));
    }
}

/// A version of the embedded policy.
pub(crate) fn version(number: usize) -> String {
    format!("7.0.{number}")
}

/// What the rules are called with.
pub(crate) fn context() -> Result<backup_core::Context> {
    Ok(backup_core::Context {
        settings: backup_core::Settings {
            repository: Some(RepositoryName::parse(REPOSITORY)?),
            index_prefix: IndexPrefix::parse(PREFIX)?,
            optimize_version: None,
            engine: EngineKind::Elasticsearch,
            resume_window: RESUME_WINDOW,
        },
        now: now(),
        engine_clock: backup_core::EngineClock::NotAsked,
        run_id: "bench".to_owned(),
        host: "bench".to_owned(),
        notes: Vec::new(),
    })
}
