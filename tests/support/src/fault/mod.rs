//! An engine with faults that a real one cannot be made to show.
//!
//! A [`FaultProxy`] stands in front of a real engine, of one in memory, or of none, and does to the requests that its
//! rules match what the rules say:
//!
//! ```no_run
//! # async fn example(engine: &backup_test_support::engine::Engine) -> anyhow::Result<()> {
//! use backup_test_support::fault::{Fault, FaultProxy, When};
//!
//! let proxy = FaultProxy::in_front_of(engine).await?;
//! proxy.add(When::put("_part_1_of_2"), Fault::reset().after_forwarding());
//! proxy.add(When::get("/_snapshot/").first(3), Fault::engine_error(429, "circuit_breaking_exception"));
//! # Ok(())
//! # }
//! ```

mod answer;
mod behaviour;
mod body;
mod connection;
mod port;
mod request;
mod when;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use tokio::task::JoinSet;

pub use self::behaviour::Fault;
use self::port::Port;
pub use self::request::Request;
pub use self::when::When;
use crate::engine::Engine;

/// A proxy with faults, on a port of its own. It ends with this value.
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    /// One task, which is aborted with the set; none while it is down.
    server: JoinSet<Result<()>>,
}

/// What the connections have in common.
#[derive(Debug)]
struct Shared {
    port: Port,
    engine: Option<Url>,
    rules: Mutex<Vec<(When, Fault)>>,
    requests: Mutex<Vec<Request>>,
    health_checks: Mutex<Vec<Request>>,
    faults: AtomicUsize,
}

impl FaultProxy {
    /// Stands in front of an engine, which gets every request that no rule keeps back.
    pub async fn in_front_of(engine: &Engine) -> Result<Self> {
        Self::in_front_of_url(engine.client().url()).await
    }

    /// Stands in front of whatever is there, such as an engine in memory.
    pub async fn in_front_of_url(engine: &Url) -> Result<Self> {
        Self::start(Some(engine.clone()))
    }

    /// Stands alone: a request without a rule is answered with 501.
    pub async fn alone() -> Result<Self> {
        Self::start(None)
    }

    /// Where it is, in the place of the engine.
    pub fn url(&self) -> Result<Url> {
        Url::parse(&format!("http://{}", self.shared.port.address()?)).context("the proxy's address is not a URL")
    }

    /// Adds a rule. Of several rules that match, the first whose turn it is acts.
    pub fn add(&self, when: When, fault: Fault) {
        lock(&self.shared.rules).push((when, fault));
    }

    /// Forgets all rules: the engine is well again.
    pub fn heal(&self) {
        lock(&self.shared.rules).clear();
    }

    /// The requests that a host has sent for its health, which come when they will.
    #[must_use]
    pub fn health_checks(&self) -> Vec<Request> {
        lock(&self.shared.health_checks).clone()
    }

    /// The requests that have come so far, whatever became of them; without those of health checks.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// The requests that change something.
    #[must_use]
    pub fn writes(&self) -> Vec<Request> {
        self.requests().into_iter().filter(Request::is_write).collect()
    }

    /// How many requests a rule has acted on so far.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.shared.faults.load(Ordering::Relaxed)
    }

    /// Closes the port and every connection: from now on nobody is there.
    pub async fn go_down(&mut self) {
        self.server.shutdown().await;
    }

    /// Opens the same port again.
    pub fn come_back(&mut self) -> Result<()> {
        ensure!(self.server.is_empty(), "the proxy is not down");
        self.server.spawn(connection::serve(self.shared.port.open()?, Arc::clone(&self.shared)));
        Ok(())
    }

    fn start(engine: Option<Url>) -> Result<Self> {
        let shared = Arc::new(Shared {
            port: Port::take()?,
            engine,
            rules: Mutex::default(),
            requests: Mutex::default(),
            health_checks: Mutex::default(),
            faults: AtomicUsize::new(0),
        });
        let mut proxy = Self { shared, server: JoinSet::new() };
        proxy.come_back()?;
        Ok(proxy)
    }
}

impl Shared {
    /// Notes a request and finds what to do with it.
    fn take(&self, request: &Request) -> Fault {
        let requests = if request.checks_health() { &self.health_checks } else { &self.requests };
        lock(requests).push(request.clone());
        let mut rules = lock(&self.rules);
        // All of them are asked, for each of them counts.
        let mut due: Vec<&mut (When, Fault)> = rules.iter_mut().collect();
        due.retain_mut(|(when, _)| when.is_due(request));
        let Some((_, fault)) = due.first() else { return Fault::none() };
        self.faults.fetch_add(1, Ordering::Relaxed);
        fault.clone()
    }
}

/// A test that failed while it held a lock has not made its content any worse.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
