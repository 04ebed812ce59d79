//! A host in this process on an engine in memory.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use backup_core::memory::{Dialect, MemoryEngine, StoredSnapshot};
use backup_core::{EngineKind, IndexPrefix, RepositoryName, SnapshotState};
use backup_test_support::memory::now;
use optimize_backup::elasticsearch::{Capability, Destination, Grants};
use optimize_backup::metrics::Metrics;
use optimize_backup::policy::admission::{Admission, Candidate, CompileLimits, Compiler};
use optimize_backup::policy::signature::TrustedKeys;
use optimize_backup::policy::{Admitted, CallContext, Policies, Source, Updates};
use optimize_backup::sandbox::{CallLimits, EMBEDDED, Sandbox, types};
use wasm_encoder::{ComponentSection, CustomSection};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_optimize-backup");
pub(crate) const REPOSITORY: &str = "backups";
pub(crate) const PREFIX: &str = "optimize";
const RESUME_WINDOW: Duration = Duration::from_secs(600);

/// The limits that are the defaults.
pub(crate) const LIMITS: CallLimits = CallLimits {
    memory: 64 << 20,
    cpu_time: Duration::from_secs(5),
    wall_time: Duration::from_secs(60),
    engine_calls: 64,
    transfer: 32 << 20,
};

/// With these limits.
pub(crate) fn sandbox() -> Result<Arc<Sandbox>> {
    Sandbox::new(LIMITS).map_err(plain)
}

/// An error as all others are.
pub(crate) fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

/// An engine with as many snapshots: two of each backup, as far as that goes.
pub(crate) fn engine(snapshots: usize) -> Arc<MemoryEngine> {
    let engine = MemoryEngine::new(Dialect::Elasticsearch8_19);
    engine.pass_until(now());
    engine.add_repository(REPOSITORY, false);
    for index in ["optimize-timestamp-based-import-index_v5", "optimize-metadata_v3", "optimize-settings_v3"] {
        engine.add_index(index);
    }
    let now = engine.now();
    for number in 0..snapshots {
        let name = format!("camunda_optimize_{}_8.8.0_part_{}_of_2", number / 2 + 1, number % 2 + 1);
        engine.store(REPOSITORY, StoredSnapshot::new(&name, SnapshotState::Success, now));
    }
    Arc::new(engine)
}

/// The policies of a host that has this engine.
pub(crate) fn policies(sandbox: &Arc<Sandbox>, engine: &Arc<MemoryEngine>) -> Result<Arc<Policies>> {
    let grants = Grants::new(Some(RepositoryName::parse(REPOSITORY)?), IndexPrefix::parse(PREFIX)?);
    let destination = Destination::InProcess(Arc::clone(engine) as _);
    let context = CallContext { capability: Capability::new(destination, grants), settings: settings() };
    Ok(Policies::new(Admitted::embedded(sandbox)?, u32::MAX, context, Arc::new(Metrics::new()?)))
}

/// The way for candidates into such policies.
pub(crate) fn updates(sandbox: &Arc<Sandbox>) -> Result<Arc<Updates>> {
    let limits = CompileLimits { time: Duration::from_secs(60), memory: 1 << 30 };
    let compiler = Compiler::with_program(BINARY.into(), limits);
    let admission = Admission::new(Arc::clone(sandbox), 16 << 20, TrustedKeys::default(), compiler);
    Ok(Updates::new(policies(sandbox, &engine(0))?, admission, None, None, None))
}

/// The embedded policy in another version.
pub(crate) fn candidate(version: usize) -> Candidate {
    Candidate { component: embedded_as(version).into(), signature: None, source: Source::Upload, forced: false }
}

/// Its bytes.
pub(crate) fn embedded_as(version: usize) -> Vec<u8> {
    let mut component = EMBEDDED.to_vec();
    let version = format!("7.0.{version}").into_bytes();
    CustomSection { name: "version".into(), data: version.into() }.append_to_component(&mut component);
    component
}

/// What a policy is called with.
pub(crate) fn settings() -> types::Settings {
    types::Settings {
        repository: REPOSITORY.to_owned(),
        index_prefix: PREFIX.to_owned(),
        optimize_version: None,
        engine: types::Engine::Elasticsearch,
        resume_window: 600_000,
    }
}

/// The same for the rules themselves.
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
        run_id: "bench".to_owned(),
        host: "bench".to_owned(),
        notes: Vec::new(),
    })
}
