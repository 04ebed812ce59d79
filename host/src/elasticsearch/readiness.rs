//! Whether the engine and the repository answer.

use std::time::Duration;

use backup_actuator::Probe;
use backup_core as core;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Capability;

pub struct Readiness {
    capability: Capability,
    repository: Option<core::RepositoryName>,
    /// The last probe, and when it ended.
    last: Mutex<Option<(Instant, Probe)>>,
}

/// A probe that takes longer counts as failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// For so long a probe's result is told to other callers.
const MAX_AGE: Duration = Duration::from_secs(1);

impl Readiness {
    /// Probes through `capability`, so with the same credentials and grants as a policy.
    pub fn new(capability: Capability, repository: Option<core::RepositoryName>) -> Self {
        Self { capability, repository, last: Mutex::default() }
    }

    /// The last probe, without another one. `None`: there was none yet, or one is under way.
    pub fn last(&self) -> Option<Probe> {
        self.last.try_lock().ok()?.as_ref().map(|(_, probe)| probe.clone())
    }

    /// Asks for the repository, or only for the nodes where none is configured. Callers who come meanwhile, or within a
    /// second, get the same result.
    pub async fn probe(&self) -> Probe {
        let mut last = self.last.lock().await;
        if let Some((_, probe)) = last.as_ref().filter(|(at, _)| at.elapsed() < MAX_AGE) {
            return probe.clone();
        }
        let repository = self.repository.as_ref();
        let answer = self.capability.read_once(Probe::request(repository), PROBE_TIMEOUT).await;
        let probe = Probe::read(repository, answer);
        *last = Some((Instant::now(), probe.clone()));
        probe
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use backup_core::memory::{Dialect, MemoryEngine};
    use backup_core::{IndexPrefix, RepositoryName};

    use super::*;
    use crate::elasticsearch::{Destination, Grants};

    #[tokio::test(start_paused = true)]
    async fn the_engine_is_asked_once_a_second_however_many_ask() {
        let engine = Arc::new(MemoryEngine::new(Dialect::Elasticsearch8_19));
        let repository = RepositoryName::parse("backups").ok();
        let grants = Grants::new(repository.clone(), IndexPrefix::parse("optimize").unwrap());
        let capability = Capability::new(Destination::InProcess(Arc::clone(&engine) as _), grants);
        let readiness = Readiness::new(capability, repository);
        for _ in 0..10 {
            assert!(readiness.probe().await.repository.is_err());
        }
        assert_eq!(engine.requests().len(), 1);
        engine.add_repository("backups", false);
        tokio::time::advance(MAX_AGE).await;
        assert_eq!(readiness.probe().await.repository, Ok(()));
        assert_eq!(engine.requests().len(), 2);
    }
}
