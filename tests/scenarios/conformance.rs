//! The engine in memory answers as the real ones do: both get the same requests, and what the policy reads of the
//! answers is compared. Tests on the engine in memory thereby hold for these engines.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backup_core::memory::Dialect;
use backup_core::verification::scratch::LOCK;
use backup_core::{Request, Response};
use backup_questions::{
    COPIED_INDEX, INDICES, LARGE_INDEX, METADATA, Preparation, Question, RESTORED_INDEX, copy, documents, questions,
    restore_renamed, take_lock,
};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::poll_until;
use backup_test_support::repository::{Damage, Repository, RepositoryOptions};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::on_every_engine;

on_every_engine!(memory_answers_as_the_engine_does);

/// The size of the large index. A snapshot of it takes half a minute in a throttled repository.
const LARGE: usize = 6_000_000;
/// How long an answer is waited for that may take long.
const WAIT: Duration = Duration::from_secs(5);

async fn memory_answers_as_the_engine_does(distribution: Distribution) -> Result<()> {
    let dialect = Dialect::ALL.into_iter().find(|dialect| dialect.version() == distribution.version);
    let dialect = dialect.with_context(|| format!("there is no dialect of {}", distribution.version))?;
    // Not the shared engine: an empty list of indices means those of all tests.
    let engine = RealEngine::start(distribution).await?;
    let mut differences = String::new();
    for question in questions().map_err(anyhow::Error::from_boxed)? {
        let Some(real) = engine.ask(&question).await.with_context(|| question.name)? else { continue };
        let memory = question.read_from_memory(dialect);
        if memory != real {
            writeln!(differences, "{} ({})\n  engine: {real}\n  memory: {memory}", question.name, question.request)?;
        }
    }
    ensure!(differences.is_empty(), "the engine in memory answers differently:\n{differences}");
    Ok(())
}

/// An engine with what is there for every question.
struct RealEngine(Engine);

impl RealEngine {
    async fn start(distribution: Distribution) -> Result<Self> {
        let engine = Self(Engine::start(distribution).await?);
        for index in INDICES {
            engine.create_index(index, json!({})).await?;
        }
        for (index, document) in documents() {
            engine.0.client().put(&format!("/{index}/_doc/1?refresh=true"), &document).await?.ok()?;
        }
        engine.fill(LARGE_INDEX, LARGE).await?;
        Ok(engine)
    }

    /// Writes so many characters that do not compress well.
    async fn fill(&self, index: &str, length: usize) -> Result<()> {
        const AT_ONCE: usize = 500_000;
        for number in 0..length.div_ceil(AT_ONCE) {
            let text: String = (0..AT_ONCE / 32).map(|_| Uuid::new_v4().simple().to_string()).collect();
            self.0.client().put(&format!("/{index}/_doc/{number}"), &json!({"text": text})).await?.ok()?;
        }
        Ok(())
    }

    /// What is read of the engine's answer. `None`: it takes long, and may.
    async fn ask(&self, question: &Question) -> Result<Option<Value>> {
        let options = if question.needs_time() { RepositoryOptions::SLOW } else { RepositoryOptions::default() };
        let repository = Repository::register_as(&self.0, question.name, options).await?;
        for preparation in &question.preparations {
            self.prepare(question, &repository, *preparation).await?;
        }
        let response = if question.may_take_long {
            timeout(WAIT, self.send(question)).await.ok().transpose()?
        } else {
            Some(self.send(question).await?)
        };
        // Whatever the question was, others must not find it.
        for index in [RESTORED_INDEX, COPIED_INDEX, LOCK] {
            self.0.client().delete(&format!("/{index}")).await?;
        }
        for index in question.unassigned() {
            self.0.client().delete(&format!("/{index}")).await?.ok()?;
        }
        Ok(response.map(|response| question.read(&response)))
    }

    async fn send(&self, question: &Question) -> Result<Response> {
        let request = &question.request;
        let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = format!("/{}?{}", request.path.join("/"), query.join("&"));
        let client = self.0.client();
        let answer = match request.method {
            backup_core::Method::Get => client.get(&path).await?,
            backup_core::Method::Put => {
                let body = serde_json::from_str(request.body.as_deref().unwrap_or_default())?;
                client.put(&path, &body).await?
            }
            backup_core::Method::Post => {
                let body = serde_json::from_str(request.body.as_deref().unwrap_or_default())?;
                client.post(&path, &body).await?
            }
            backup_core::Method::Delete => client.delete(&path).await?,
        };
        Ok(Response { status: answer.status, retry_after: None, body: answer.body.to_string() })
    }

    async fn prepare(&self, question: &Question, repository: &Repository, preparation: Preparation) -> Result<()> {
        match preparation {
            Preparation::ReadOnly => {
                let options = RepositoryOptions { readonly: true, ..RepositoryOptions::default() };
                Repository::register_as(&self.0, question.name, options).await.map(drop)
            }
            Preparation::Unassigned(index) => {
                self.create_index(index, json!({"index.routing.allocation.require.zone": "none"})).await
            }
            Preparation::Snapshot(name) => {
                let metadata: Value = serde_json::from_str(METADATA)?;
                let body =
                    json!({"indices": ["optimize-alert_v4"], "metadata": metadata, "include_global_state": false});
                self.write(question, name, body).await
            }
            Preparation::Partial(name) => {
                let indices: Vec<&str> = question.unassigned().collect();
                self.write(question, name, json!({"indices": indices, "partial": true})).await
            }
            Preparation::Restored(name) => {
                self.restore(&restore_renamed(question.name, name).map_err(anyhow::Error::from_boxed)?).await
            }
            Preparation::Copied(name) => {
                self.restore(&copy(question.name, name).map_err(anyhow::Error::from_boxed)?).await
            }
            Preparation::Locked => {
                let body = serde_json::from_str(take_lock().body.as_deref().unwrap_or_default())?;
                self.0.client().put(&format!("/{LOCK}"), &body).await?.ok().map(drop)
            }
            Preparation::OfNoIndices(name) => self.write(question, name, json!({"indices": []})).await,
            Preparation::Running(name) => {
                let path = format!("/_snapshot/{}/{name}?wait_for_completion=false", question.name);
                self.0.client().put(&path, &json!({"indices": [LARGE_INDEX]})).await?.ok()?;
                self.has_begun(&format!("/_snapshot/{}/{name}/_status", question.name)).await
            }
            Preparation::Damaged(name, damage) => {
                let damage = match damage {
                    backup_core::memory::Damage::Missing => Damage::Missing,
                    backup_core::memory::Damage::Unreadable => Damage::Corrupt,
                };
                repository.damage(name, damage).await
            }
        }
    }

    /// Restores, and waits for its end.
    async fn restore(&self, request: &Request) -> Result<()> {
        let path = format!("/{}?wait_for_completion=true", request.path.join("/"));
        let body = serde_json::from_str(request.body.as_deref().unwrap_or_default())?;
        self.0.client().post(&path, &body).await?.ok().map(drop)
    }

    /// Waits until the engine writes the only shard of a snapshot.
    async fn has_begun(&self, status: &str) -> Result<()> {
        poll_until("the shard is begun", Duration::from_secs(60), async || {
            let status = self.0.client().get(status).await?.ok()?;
            Ok((status["snapshots"][0]["shards_stats"]["initializing"] == 0).then_some(()))
        })
        .await
    }

    async fn write(&self, question: &Question, name: &str, body: Value) -> Result<()> {
        let path = format!("/_snapshot/{}/{name}?wait_for_completion=true", question.name);
        self.0.client().put(&path, &body).await?.ok().map(drop)
    }

    async fn create_index(&self, name: &str, mut settings: Value) -> Result<()> {
        settings["number_of_shards"] = json!(1);
        settings["number_of_replicas"] = json!(0);
        let alias = name.rsplit_once("_v").map_or(name, |(alias, _)| alias);
        let body = json!({"settings": settings, "mappings": {"dynamic": false}, "aliases": {alias: {}}});
        self.0.client().put(&format!("/{name}?wait_for_active_shards=0"), &body).await?.ok()?;
        Ok(())
    }
}
