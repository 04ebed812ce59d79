//! An engine in memory whose clock is Tokio's, and a network that fails as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use backup_core::memory::{MemoryEngine, StoredSnapshot};
use backup_core::{Engine, SnapshotState, Timestamp, milliseconds};
pub(super) use backup_test_support::installation::part;
use backup_test_support::memory::engine_with_installation_at;
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::clock;
use crate::correlation;
use crate::elasticsearch::{Granted, Method, Request, Response, ResponseFuture, Transport, TransportError};

pub(super) const REPOSITORY: &str = "backups";
/// How long a snapshot takes.
pub(super) const SNAPSHOT: Duration = Duration::from_secs(3);
pub(super) const SETTINGS: &str = "optimize-settings_v3";

/// The engine, and an installation of Optimize.
pub(super) struct Cluster {
    pub(super) engine: MemoryEngine,
    clock: Mutex<Instant>,
}

impl Cluster {
    pub(super) fn new() -> Arc<Self> {
        // Tokio's clock may have been put forward since the process began.
        Self::at(clock::since_epoch())
    }

    /// One whose clock is not the hosts'.
    pub(super) fn at(since_epoch: Duration) -> Arc<Self> {
        let engine = engine_with_installation_at(Timestamp(milliseconds(since_epoch)), REPOSITORY);
        engine.write_within(SNAPSHOT);
        Arc::new(Self { engine, clock: Mutex::new(Instant::now()) })
    }

    /// The names of all snapshots, in order.
    pub(super) fn snapshots(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.engine.snapshots(REPOSITORY).into_iter().map(|snapshot| snapshot.name).collect();
        names.sort();
        names
    }

    /// A snapshot that another program wrote, which says nothing of a run in its metadata.
    pub(super) fn write_foreign(&self, name: &str) {
        self.synchronize();
        self.engine.store(REPOSITORY, StoredSnapshot::new(name, SnapshotState::Success, self.engine.now()));
    }

    /// Deletes a snapshot as another program does.
    pub(super) fn delete(&self, name: &str) {
        let path = ["_snapshot", REPOSITORY, name].map(str::to_owned).to_vec();
        let answer = self.act(&Request { method: Method::Delete, path, query: Vec::new(), body: None });
        assert_eq!(answer.unwrap().status, 200);
    }

    fn act(&self, request: &Request) -> Result<Response, TransportError> {
        self.synchronize();
        self.engine.send(request)
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.engine.requests()
    }

    /// Puts the engine's clock to where Tokio's is.
    fn synchronize(&self) {
        let mut clock = self.clock.lock().unwrap();
        let now = Instant::now();
        self.engine.pass(now - *clock);
        *clock = now;
    }
}

/// What goes wrong with a request.
#[derive(Clone)]
pub(super) enum Fault {
    /// It is lost; no answer ever comes.
    Lost,
    /// The engine acts, and the answer is lost.
    AnswerLost,
    /// The engine acts and answers after this time, also if nobody waits for it any more.
    Slow(Duration),
    /// The engine acts and answers at this time, also if nobody waits for it any more.
    SlowUntil(Instant),
    /// This comes in place of the engine's answer, after this time.
    Answer(Duration, Response),
    /// No connection.
    Away,
    /// The host itself has a defect.
    Panic,
}

impl Fault {
    /// A refusal as engines word it.
    pub(super) fn refusal(after: Duration, status: u16, kind: &str, reason: &str) -> Self {
        let body = json!({"error": {"type": kind, "reason": reason}, "status": status});
        Self::Answer(after, Response { status, retry_after: None, body: body.to_string() })
    }
}

/// A fault of some requests.
struct Rule {
    words: &'static str,
    first: usize,
    left: usize,
    fault: Fault,
}

/// A host's way to the engine.
pub(super) struct Network {
    cluster: Arc<Cluster>,
    rules: Mutex<Vec<Rule>>,
    sent: Mutex<Vec<(Instant, String)>>,
}

impl Network {
    pub(super) fn new(cluster: &Arc<Cluster>) -> Arc<Self> {
        Arc::new(Self { cluster: Arc::clone(cluster), rules: Mutex::default(), sent: Mutex::default() })
    }

    /// Lets the next `times` requests fail whose text has all these words.
    pub(super) fn fail(&self, words: &'static str, times: usize, fault: Fault) {
        self.fail_from(1, words, times, fault);
    }

    /// The same, beginning with the n-th such request.
    pub(super) fn fail_from(&self, first: usize, words: &'static str, times: usize, fault: Fault) {
        self.rules.lock().unwrap().push(Rule { words, first, left: times, fault });
    }

    /// Nothing fails any more.
    pub(super) fn heal(&self) {
        self.rules.lock().unwrap().clear();
    }

    /// How long after `since` requests were sent whose text, with the ID that they are for, has all these words.
    pub(super) fn times(&self, words: &str, since: Instant) -> Vec<Duration> {
        let sent = self.sent.lock().unwrap();
        let concerned = sent.iter().filter(|(at, text)| *at >= since && has_all(text, words));
        concerned.map(|(at, _)| *at - since).collect()
    }

    fn fault_of(&self, text: &str) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap();
        for rule in rules.iter_mut().filter(|rule| has_all(text, rule.words)) {
            if rule.first > 1 {
                rule.first -= 1;
            } else if rule.left > 0 {
                rule.left -= 1;
                return Some(rule.fault.clone());
            }
        }
        None
    }

    async fn answer(&self, request: &Request) -> Result<Response, TransportError> {
        let text = request.to_string();
        let correlation = correlation::current().map(|current| format!(" for {}", current.id()));
        self.sent.lock().unwrap().push((Instant::now(), text.clone() + &correlation.unwrap_or_default()));
        match self.fault_of(&text) {
            None => self.cluster.act(request),
            Some(Fault::Lost) => std::future::pending().await,
            Some(Fault::AnswerLost) => {
                self.cluster.act(request).unwrap();
                std::future::pending().await
            }
            Some(Fault::Slow(span)) => self.act_at(Instant::now() + span, request).await,
            Some(Fault::SlowUntil(moment)) => self.act_at(moment, request).await,
            Some(Fault::Answer(span, response)) => {
                sleep(span).await;
                Ok(response)
            }
            Some(Fault::Away) => Err(TransportError::Unreachable("connection refused".to_owned())),
            Some(Fault::Panic) => panic!("a defect of the host"),
        }
    }

    async fn act_at(&self, moment: Instant, request: &Request) -> Result<Response, TransportError> {
        let (cluster, request) = (Arc::clone(&self.cluster), request.clone());
        let acting = tokio::spawn(async move {
            sleep_until(moment).await;
            cluster.act(&request)
        });
        acting.await.unwrap()
    }
}

impl Transport for Network {
    fn send<'a>(&'a self, request: &'a Granted, budget: Duration) -> ResponseFuture<'a> {
        self.submit(request, budget)
    }

    fn submit<'a>(&'a self, request: &'a Granted, limit: Duration) -> ResponseFuture<'a> {
        Box::pin(async move {
            let late = || TransportError::Interrupted(format!("no answer within {limit:?}"));
            timeout(limit, self.answer(request.request())).await.unwrap_or_else(|_| Err(late()))
        })
    }
}

fn has_all(text: &str, words: &str) -> bool {
    words.split(' ').all(|word| text.contains(word))
}
