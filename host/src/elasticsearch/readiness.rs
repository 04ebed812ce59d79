//! Whether the engine and the repository answer.

use std::time::Duration;

use backup_actuator::Probe;
use backup_core as core;

use super::Capability;

/// Sends a request to the engine for each probe.
pub struct Readiness {
    capability: Capability,
    repository: Option<core::RepositoryName>,
}

/// A probe that takes longer counts as failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

impl Readiness {
    /// Probes through `capability`, so with the same credentials and grants as a policy.
    #[must_use]
    pub fn new(capability: Capability, repository: Option<core::RepositoryName>) -> Self {
        Self { capability, repository }
    }

    /// Asks for the repository, or only for the nodes where none is configured.
    pub async fn probe(&self) -> Probe {
        let repository = self.repository.as_ref();
        let answer = self.capability.read_once(Probe::request(repository), PROBE_TIMEOUT).await;
        Probe::read(repository, answer)
    }
}
