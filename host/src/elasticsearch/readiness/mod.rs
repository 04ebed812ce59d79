//! Whether a backup could be made: the engine, the repository and the indices, looked at regularly and when somebody asks.
//!
//! | what | how often at most |
//! |---|---|
//! | the repository's registration | once a second |
//! | the installation's indices | once in 30 s; while they are not complete, once in 5 s |
//! | which engine it is, by `GET /` or else by its nodes | once in 60 s |
//! | the verification of the repository, which writes to it | once in 10 minutes; after a failure once in 30 s; at once where the registration has changed |

mod report;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use backup_actuator::{Finding, HealthStatus, IndicesFacts, Probe};
use backup_core::{EngineInfo, EngineKind, IndexPrefix, RepositoryName, Request, Response};
use backup_elasticsearch::OwnRequest;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinError;
use tokio::time::Instant;

use self::verify::Verifier;
use super::{Capability, TransportError};

/// What is looked at.
#[derive(Clone)]
pub struct Subject {
    pub engine: EngineKind,
    pub repository: Option<RepositoryName>,
    pub prefix: IndexPrefix,
}

/// Probes the engine. There is one probe at a time, and all callers get its result.
pub struct Readiness {
    prober: Arc<Prober>,
    cache: Arc<Mutex<ProbeCache>>,
}

/// Sends the requests of a probe, in a task of its own: a caller who hangs up does not end it.
struct Prober {
    capability: Capability,
    subject: Subject,
    /// What the last look has found.
    last: RwLock<Option<Arc<Probe>>>,
}

/// What is kept from one probe to the next.
#[derive(Default)]
struct ProbeCache {
    ended: Option<Instant>,
    info: Option<(Instant, Option<EngineInfo>)>,
    indices: Option<(Instant, Finding<IndicesFacts>)>,
    verifier: Verifier,
}

/// A probe that takes longer counts as failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// For so long a probe's result is told to other callers.
const MAX_AGE: Duration = Duration::from_secs(1);
const INFO_INTERVAL: Duration = Duration::from_secs(60);
const INDICES_INTERVAL: Duration = Duration::from_secs(30);
const INCOMPLETE_INDICES_INTERVAL: Duration = Duration::from_secs(5);
/// How often the engine is looked at while nobody asks: for the metrics, and for the log.
const WATCH_INTERVAL: Duration = Duration::from_secs(30);
const WATCH_INTERVAL_WHILE_DOWN: Duration = Duration::from_secs(5);

impl Readiness {
    /// Looks through `capability`, so with the same credentials as a policy.
    pub fn new(capability: Capability, subject: Subject) -> Self {
        Self { prober: Arc::new(Prober { capability, subject, last: RwLock::default() }), cache: Arc::default() }
    }

    /// What the last look has found, without another one. `None`: there was none yet.
    pub fn last(&self) -> Option<Arc<Probe>> {
        self.prober.last()
    }

    /// Looks, and logs what has changed. Callers who come meanwhile, or within a second, get the same result.
    pub async fn probe(&self) -> Arc<Probe> {
        let cache = Arc::clone(&self.cache).lock_owned().await;
        if let (Some(probe), Some(ended)) = (self.last(), cache.ended)
            && ended.elapsed() < MAX_AGE
        {
            return probe;
        }
        // A look ends also when its caller has hung up: otherwise each new caller would begin another one.
        let look = tokio::spawn(Arc::clone(&self.prober).look_and_keep(cache));
        look.await.unwrap_or_else(|error| Arc::new(self.prober.failed(&error)))
    }

    /// Looks regularly, also while nobody asks.
    pub async fn watch_forever(&self) {
        loop {
            let interval = if self.probe().await.is_ready() { WATCH_INTERVAL } else { WATCH_INTERVAL_WHILE_DOWN };
            tokio::time::sleep(interval).await;
        }
    }
}

impl Prober {
    fn last(&self) -> Option<Arc<Probe>> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn look_and_keep(self: Arc<Self>, mut cache: OwnedMutexGuard<ProbeCache>) -> Arc<Probe> {
        let probe = Arc::new(self.look(&mut cache, Instant::now() + PROBE_TIMEOUT).await);
        report::changes(self.last().as_deref(), &probe);
        cache.ended = Some(Instant::now());
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&probe));
        probe
    }

    /// A look that did not end: a defect, or the end of the server.
    fn failed(&self, error: &JoinError) -> Probe {
        let Subject { engine, repository, prefix } = &self.subject;
        let error = TransportError::Interrupted(format!("the look at it failed: {error}"));
        Probe::read(*engine, repository.as_ref(), prefix, Err(error))
    }

    async fn look(&self, cache: &mut ProbeCache, deadline: Instant) -> Probe {
        let Subject { engine, repository, prefix } = &self.subject;
        let response = self.read(Probe::request(repository.as_ref()), deadline).await;
        let mut probe = Probe::read(*engine, repository.as_ref(), prefix, response.as_ref().map_err(Clone::clone));
        if !probe.is_answered() {
            return probe;
        }
        if let Some(info) = self.info(cache, deadline).await {
            probe.add_info(*engine, &info);
        }
        probe.indices = self.indices(cache, deadline).await;
        if probe.repository.status == HealthStatus::Up {
            let registered = response.map(|response| response.body).unwrap_or_default();
            if let Some((verification, age)) = cache.verifier.last(&self.capability, registered, deadline).await {
                probe.add_verification(&verification, age.as_secs());
            }
        }
        probe
    }

    async fn info(&self, cache: &mut ProbeCache, deadline: Instant) -> Option<EngineInfo> {
        if let Some((at, info)) = &cache.info
            && at.elapsed() < INFO_INTERVAL
        {
            return info.clone();
        }
        let response = self.capability.own(OwnRequest::EngineInfo, left(deadline)).await.ok()?;
        let mut info = EngineInfo::read(&response);
        if info.is_none() {
            // Without that privilege, or without that module of the engine, its nodes tell the version.
            let response = self.read(Request::node_versions(), deadline).await.ok()?;
            info = EngineInfo::of_nodes(self.subject.engine, &response);
        }
        cache.info = Some((Instant::now(), info.clone()));
        info
    }

    async fn indices(&self, cache: &mut ProbeCache, deadline: Instant) -> Finding<IndicesFacts> {
        if let Some((at, found)) = &cache.indices {
            let interval = match found.status {
                HealthStatus::Up => INDICES_INTERVAL,
                HealthStatus::Down | HealthStatus::Unknown => INCOMPLETE_INDICES_INTERVAL,
            };
            if at.elapsed() < interval {
                return found.clone();
            }
        }
        let prefix = &self.subject.prefix;
        let response = self.read(Request::resolve(prefix), deadline).await;
        let found = Finding::of_indices(prefix, response.as_ref().map_err(Clone::clone));
        cache.indices = Some((Instant::now(), found.clone()));
        found
    }

    async fn read(&self, request: Request, deadline: Instant) -> Result<Response, TransportError> {
        self.capability.check_health(request, left(deadline)).await
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
