//! The engine that a cell runs on, with an installation of Optimize and an empty repository.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use backup_core::memory::MemoryEngine;
use backup_test_support::engine::{Distribution, Kind};
use backup_test_support::fault::{Fault, FaultProxy};
use backup_test_support::host::HostOptions;
use backup_test_support::memory::{MemoryServer, PREFIX, engine_with_installation};

use super::{AMPLE_BUDGET, BUDGET, SHORT_BUDGET};
use crate::fixture::{Fixture, options_at};

const REPOSITORY: &str = "backups";
/// How long a snapshot takes: it is running at the first look after the 202, and finished at the next.
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
        let short = match self {
            Self::Real(_) => BUDGET,
            Self::Memory => SHORT_BUDGET,
        };
        if fault.outlasts(short) { short } else { AMPLE_BUDGET }
    }
}

/// That engine.
pub(super) enum CellFixture {
    Real(Box<Fixture>),
    Memory(MemoryServer),
}

impl CellFixture {
    pub(super) async fn new(target: Target) -> Result<Self> {
        Ok(match target {
            Target::Real(distribution) => Self::Real(Box::new(Fixture::new(distribution).await?)),
            Target::Memory => Self::Memory(MemoryServer::start(Arc::new(installed())).await?),
        })
    }

    pub(super) async fn proxy(&self) -> Result<FaultProxy> {
        match self {
            Self::Real(fixture) => FaultProxy::in_front_of(&fixture.engine).await,
            Self::Memory(server) => FaultProxy::in_front_of_url(server.url()).await,
        }
    }

    pub(super) fn options_through(&self, proxy: &FaultProxy) -> Result<HostOptions> {
        match self {
            Self::Real(fixture) => fixture.options_through(proxy),
            Self::Memory(server) => {
                Ok(options_at(Kind::Elasticsearch, server.url(), &proxy.url()?, REPOSITORY, PREFIX))
            }
        }
    }

    /// The names of the snapshots that there are.
    pub(super) async fn snapshots(&self) -> Result<Vec<String>> {
        match self {
            Self::Real(fixture) => fixture.repository.snapshots().await,
            Self::Memory(server) => {
                Ok(server.engine().snapshots(REPOSITORY).into_iter().map(|snapshot| snapshot.name).collect())
            }
        }
    }
}

pub(super) fn installed() -> MemoryEngine {
    let engine = engine_with_installation(REPOSITORY);
    engine.write_within(WRITING);
    engine
}
