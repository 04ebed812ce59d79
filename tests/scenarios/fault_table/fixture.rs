//! What a cell needs: an engine with an installation of Optimize and an empty repository.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use backup_core::memory::{Dialect, MemoryEngine};
use backup_test_support::engine::{Distribution, Kind};
use backup_test_support::fault::{Fault, FaultProxy};
use backup_test_support::host::HostOptions;
use backup_test_support::installation::SCHEMA_VERSION;
use backup_test_support::memory::MemoryServer;
use serde_json::json;

use super::{AMPLE_BUDGET, BUDGET, SHORT_BUDGET};
use crate::world::{World, options_at};

const REPOSITORY: &str = "backups";
const PREFIX: &str = "optimize";
/// Long enough to be seen by the first look after the 202, and over at the next.
const WRITING: Duration = Duration::from_millis(150);

/// What a cell runs on.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// A real engine.
    Real(Distribution),
    /// The engine in memory, over HTTP.
    Memory,
}

impl From<Distribution> for Target {
    fn from(distribution: Distribution) -> Self {
        Self::Real(distribution)
    }
}

impl Target {
    /// How long a call may take that meets this fault.
    pub(super) fn budget(self, fault: &Fault) -> Duration {
        let impatient = match self {
            Self::Real(_) => BUDGET,
            Self::Memory => SHORT_BUDGET,
        };
        if fault.outlasts(impatient) { impatient } else { AMPLE_BUDGET }
    }
}

/// An engine that is ready.
pub(super) enum Fixture {
    Real(Box<World>),
    Memory(MemoryServer),
}

impl Fixture {
    pub(super) async fn new(target: Target) -> Result<Self> {
        Ok(match target {
            Target::Real(distribution) => Self::Real(Box::new(World::new(distribution).await?)),
            Target::Memory => Self::Memory(MemoryServer::start(Arc::new(installed())).await?),
        })
    }

    pub(super) async fn proxy(&self) -> Result<FaultProxy> {
        match self {
            Self::Real(world) => FaultProxy::in_front_of(&world.engine).await,
            Self::Memory(server) => FaultProxy::in_front_of_url(server.url()).await,
        }
    }

    pub(super) fn options_through(&self, proxy: &FaultProxy) -> Result<HostOptions> {
        match self {
            Self::Real(world) => world.options_through(proxy),
            Self::Memory(server) => {
                Ok(options_at(Kind::Elasticsearch, server.url(), &proxy.url()?, REPOSITORY, PREFIX))
            }
        }
    }

    /// The names of the snapshots that there are.
    pub(super) async fn snapshots(&self) -> Result<Vec<String>> {
        match self {
            Self::Real(world) => world.repository.snapshots().await,
            Self::Memory(server) => {
                Ok(server.engine().snapshots(REPOSITORY).into_iter().map(|snapshot| snapshot.name).collect())
            }
        }
    }
}

/// The fewest indices that make an installation, as on real engines.
fn installed() -> MemoryEngine {
    let engine = MemoryEngine::new(Dialect::Elasticsearch8_19);
    engine.add_repository(REPOSITORY, false);
    engine.write_within(WRITING);
    for kind in ["timestamp-based-import-index_v5", "metadata_v3", "settings_v3", "process-instance-invoice_v8"] {
        engine.add_index(&format!("{PREFIX}-{kind}"));
    }
    engine.set_document(&format!("{PREFIX}-metadata_v3"), Some(json!({"schemaVersion": SCHEMA_VERSION})));
    engine
}
