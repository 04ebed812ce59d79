//! What happens after an answer, in virtual time: Tokio's clock is paused and goes to the next moment at which
//! something waits for it, so that hours take milliseconds and every time is exact.

mod adoption;
mod clocks;
mod crowd;
mod deletions;
mod dropped;
mod engine;
mod overview;
mod panics;
mod restores;
mod retention;
mod runs;
mod schedule;
mod verifications;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backup_core::{IndexPrefix, RepositoryName};
use tokio::time::{Instant, sleep, timeout};

use self::engine::{Cluster, Fault, Network, REPOSITORY, part};
use super::*;
use crate::elasticsearch::{Capability, Destination, Grants};
use crate::policy::{Admitted, CallContext};
use crate::sandbox::types::{self, BackupState};
use crate::sandbox::{CallLimits, Sandbox};

const RESUME_WINDOW: Duration = Duration::from_secs(600);
/// How long a call may take, the engine's answers included.
const CALL: Duration = Duration::from_secs(60);

const LIMITS: CallLimits = CallLimits {
    memory: 48 << 20,
    cpu_time: Duration::from_secs(30),
    wall_time: CALL,
    engine_calls: 64,
    transfer: 8 << 20,
};

/// A host without its HTTP server, and its own way to the engine.
struct TestHost {
    network: Arc<Network>,
    service: Arc<BackupService>,
    metrics: Arc<Metrics>,
    begin: Instant,
}

/// An engine with an installation of Optimize, and one host.
fn set_up() -> (Arc<Cluster>, TestHost) {
    let cluster = Cluster::new();
    let host = TestHost::new(&cluster);
    (cluster, host)
}

impl TestHost {
    fn new(cluster: &Arc<Cluster>) -> Self {
        Self::of_installation(cluster, "optimize")
    }

    /// A host of the installation with this index prefix.
    fn of_installation(cluster: &Arc<Cluster>, prefix: &str) -> Self {
        Self::with_limits(cluster, prefix, LIMITS)
    }

    /// With permits of its own: tests run at once, each in its own time.
    fn with_limits(cluster: &Arc<Cluster>, prefix: &str, limits: CallLimits) -> Self {
        Self::in_sandbox(&Sandbox::new(limits).unwrap(), cluster, prefix)
    }

    fn in_sandbox(sandbox: &Arc<Sandbox>, cluster: &Arc<Cluster>, prefix: &str) -> Self {
        let policy = Admitted::embedded(sandbox).unwrap();
        let network = Network::new(cluster);
        let grants = Grants::new(RepositoryName::parse(REPOSITORY).ok(), IndexPrefix::parse(prefix).unwrap());
        let capability = Capability::new(Destination::cluster(Arc::clone(&network) as _), grants);
        let settings = types::Settings {
            repository: REPOSITORY.to_owned(),
            index_prefix: prefix.to_owned(),
            optimize_version: None,
            engine: types::Engine::Elasticsearch,
            resume_window: RESUME_WINDOW.as_millis() as u64,
        };
        let metrics = Arc::new(Metrics::new().unwrap());
        let context = CallContext { capability, settings };
        let policies = Policies::new(policy, 5, context, Arc::clone(&metrics));
        let service = BackupService::new(policies, &metrics, None);
        Self { network, service, metrics, begin: Instant::now() }
    }

    /// The last answer to a GET.
    async fn reason(&self, id: BackupId) -> String {
        self.service.get(&id.to_string()).await.unwrap().failure_reason.unwrap_or_default()
    }

    /// Looks for backups that nobody drives from now on.
    fn adopt_forever(&self) {
        tokio::spawn(Arc::clone(&self.service).adopt_forever());
    }

    /// Makes a backup, and waits until it is complete.
    async fn complete(&self, id: BackupId) {
        self.service.create(&id.to_string()).await.unwrap();
        self.run_ended().await;
        assert_eq!(self.state(id).await, BackupState::Complete);
    }

    /// Begins a backup and is no more: nobody drives it.
    async fn create_and_crash(&self, id: BackupId) {
        self.service.policies.calls().create(&id.to_string(), Vec::new()).await.unwrap();
    }

    /// Waits until this host drives nothing any more.
    async fn run_ended(&self) {
        let ended = async {
            while !self.service.runs.driven().is_empty() {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(Duration::from_secs(24 * 60 * 60), ended).await.expect("the run ends");
    }

    async fn state(&self, id: BackupId) -> BackupState {
        self.service.get(&id.to_string()).await.unwrap().state
    }

    async fn is_gone(&self, id: BackupId) -> bool {
        matches!(self.service.get(&id.to_string()).await, Err(CallError::Refused(Error::NotFound(_))))
    }

    /// The deletions that are told as pending.
    fn pending(&self) -> Vec<String> {
        let all = self.service.deletions.all();
        all.into_iter().filter(|(_, deletion)| matches!(deletion, Deletion::Pending(_))).map(|(id, _)| id).collect()
    }

    /// The deletions that are told as failed, with the reason.
    fn failed(&self) -> BTreeMap<String, String> {
        let reason = |(id, deletion)| match deletion {
            Deletion::Failed(failure) => Some((id, failure.reason)),
            Deletion::Pending(_) => None,
        };
        self.service.deletions.all().into_iter().filter_map(reason).collect()
    }

    /// The seconds after `since` at which requests were sent whose text has all these words.
    fn times(&self, words: &str, since: Instant) -> Vec<u64> {
        self.network.times(words, since).into_iter().map(|span| span.as_secs()).collect()
    }

    /// One value of `/actuator/prometheus`.
    fn metric(&self, name: &str) -> f64 {
        let text = self.metrics.render().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("optimize_backup_{name} ")));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until so long after this host was set up.
    async fn at(&self, seconds: u64) {
        tokio::time::sleep_until(self.begin + Duration::from_secs(seconds)).await;
    }
}

fn code<T>(outcome: Result<T, CallError>) -> String {
    match outcome {
        Err(CallError::Refused(error)) => error.problem().code.clone(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was not refused"),
    }
}
