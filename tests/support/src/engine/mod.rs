//! Real engines.
//!
//! A complete, minimal server of every version is published as a Maven artifact; it needs a JDK and
//! no container engine. It listens on a free port of 127.0.0.1, and leaves nothing behind: not even
//! when the test process is killed.
//!
//! Its folder is in the system's temporary folder; `TMPDIR=/dev/shm` spares the disk, and some time.

mod archive;
mod config;
mod distribution;
mod java;
mod node;
mod security;
mod user;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

pub use self::distribution::{Distribution, Kind};
use self::node::Node;
pub(crate) use self::user::User;
use crate::client::{Client, Credentials};
use crate::guardian::Signal;
use crate::wait::poll_until;

const HEALTH_TIMEOUT: Duration = Duration::from_secs(300);

/// Waits for the cluster to have a master, its state, and every shard that can be there.
const HEALTH: &str = "/_cluster/health?wait_for_no_initializing_shards=true&wait_for_events=languid&timeout=30s";

type Cell = Arc<OnceCell<Arc<Engine>>>;

/// By version, and by whether it is ours.
static SHARED: LazyLock<Mutex<HashMap<(Distribution, bool), Cell>>> = LazyLock::new(Mutex::default);

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    kind: Kind,
    client: Client,
    /// None: it was there before us and is not ours to stop.
    node: Option<Node>,
}

impl Engine {
    /// The engine that all tests of this process share. It cannot be stopped or paused.
    ///
    /// `ELASTICSEARCH_URL` names one to use instead of Elasticsearch 8.19, `OPENSEARCH_URL` one instead of OpenSearch 2.19,
    /// whatever its version; it keeps what the tests write, and needs a `path.repo`. All other versions are started.
    pub async fn shared(distribution: Distribution) -> Result<Arc<Self>> {
        match given_url(distribution) {
            Some(url) => Self::once((distribution, false), async || Self::given(distribution, &url).await).await,
            None => Self::shared_own(distribution).await,
        }
    }

    /// The same, but one that was started here in any case, and whose folder so is known.
    pub async fn shared_own(distribution: Distribution) -> Result<Arc<Self>> {
        Self::once((distribution, true), async || Self::start(distribution).await).await
    }

    /// An engine of one's own, which ends with this value.
    pub async fn start(distribution: Distribution) -> Result<Self> {
        Self::new(distribution, None).await
    }

    /// An engine of one's own that wants basic authentication: user `elastic`, this password.
    pub async fn start_secured(distribution: Distribution, password: &str) -> Result<Self> {
        let credentials = Credentials { username: security::USER.to_owned(), password: password.to_owned() };
        Self::new(distribution, Some(credentials)).await
    }

    /// Adds users to a secured Elasticsearch, each with a role of the same name, and waits until it knows them. Returns their
    /// password.
    pub async fn add_users(&self, roles: &[(&str, Value)]) -> Result<&'static str> {
        let node = self.node.as_ref().context("the configuration of this engine is not ours")?;
        security::write_file_users(&node.configuration(), roles)?;
        for (username, role) in roles {
            let password = security::FILE_USER_PASSWORD.to_owned();
            let credentials = Credentials { username: (*username).to_owned(), password };
            let client = self.client.clone().with_credentials(Some(credentials));
            let wanted = json!({"cluster": role.get("cluster"), "index": []});
            poll_until("the users", HEALTH_TIMEOUT, async || {
                let answer = client.post("/_security/user/_has_privileges", &wanted).await?;
                Ok((answer.body.get("has_all_requested") == Some(&json!(true))).then_some(()))
            })
            .await?;
        }
        Ok(security::FILE_USER_PASSWORD)
    }

    /// The kind of engine.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Speaks to the engine.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Starts the engine again, on the same data and the same port.
    pub async fn restart(&mut self) -> Result<()> {
        self.own_mut()?.start().await?;
        self.healthy().await
    }

    /// Ends the engine in order.
    pub async fn stop(&mut self) -> Result<()> {
        self.own_mut()?.end(Signal::Terminate).await.map(drop)
    }

    /// Ends the engine as a crash of its machine would.
    pub async fn kill(&mut self) -> Result<()> {
        self.own_mut()?.end(Signal::Kill).await.map(drop)
    }

    /// Makes the engine stand still: it accepts connections and answers nothing.
    pub fn pause(&mut self) -> Result<()> {
        self.own_mut()?.signal(Signal::Stop)
    }

    /// Lets the engine answer again after [`Engine::pause`].
    pub fn resume(&mut self) -> Result<()> {
        self.own_mut()?.signal(Signal::Continue)
    }

    /// The folder that repositories' relative locations are in, and the owner of its files; none
    /// for an engine that is not ours.
    pub(crate) fn repositories(&self) -> Option<(PathBuf, User)> {
        self.node.as_ref().map(|node| (node.repositories(), node.user()))
    }

    async fn once(key: (Distribution, bool), start: impl AsyncFnOnce() -> Result<Self>) -> Result<Arc<Self>> {
        let cell = SHARED.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        cell.get_or_try_init(async || start().await.map(Arc::new)).await.cloned()
    }

    async fn given(distribution: Distribution, url: &str) -> Result<Self> {
        let engine = Self { kind: distribution.kind, client: Client::new(url)?, node: None };
        engine.healthy().await?;
        Ok(engine)
    }

    async fn new(distribution: Distribution, credentials: Option<Credentials>) -> Result<Self> {
        let password = credentials.as_ref().map(|credentials| credentials.password.clone());
        let mut node = tokio::task::spawn_blocking(move || Node::prepare(distribution, password.as_deref())).await??;
        let port = node.start().await?;
        let client = Client::new(&format!("http://127.0.0.1:{port}"))?.with_credentials(credentials);
        let engine = Self { kind: distribution.kind, client, node: Some(node) };
        engine.healthy().await?;
        Ok(engine)
    }

    async fn healthy(&self) -> Result<()> {
        poll_until("a healthy engine", HEALTH_TIMEOUT, async || {
            // Not even connections are sure yet: an engine that has just started may refuse them.
            let answer = self.client.get(HEALTH).await.ok();
            Ok(answer.filter(|answer| answer.status == 200).map(drop))
        })
        .await
    }

    fn own_mut(&mut self) -> Result<&mut Node> {
        self.node.as_mut().context("this engine was there before us and is not ours to stop")
    }
}

/// The engine to use instead of starting one.
fn given_url(distribution: Distribution) -> Option<String> {
    std::env::var(distribution.url_variable()?).ok().filter(|url| !url.is_empty())
}
