//! The engine in memory over HTTP, for a host in another process.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, Method, StatusCode, Uri};
use backup_core::memory::{Dialect, MemoryEngine};
use backup_core::{Engine, Request, Timestamp};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::installation::SCHEMA_VERSION;

/// The prefix of the installation in an [`engine_with_installation`].
pub const PREFIX: &str = "optimize";

/// Serves an engine in memory on a port of its own. It ends with this value.
#[derive(Debug)]
pub struct MemoryServer {
    engine: Arc<MemoryEngine>,
    url: Url,
    /// One task, which is aborted with the set.
    _server: JoinSet<()>,
}

impl MemoryServer {
    /// Serves this engine. Its clock goes as everybody's does from now on.
    pub async fn start(engine: Arc<MemoryEngine>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("opening a port for the engine in memory")?;
        let url = Url::parse(&format!("http://{}", listener.local_addr()?))?;
        let router = Router::new().fallback(answer).with_state(Arc::clone(&engine));
        let mut server = JoinSet::new();
        server.spawn(async move {
            // Never returns.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { engine, url, _server: server })
    }

    /// The engine itself, to change it and to look into it.
    #[must_use]
    pub fn engine(&self) -> &MemoryEngine {
        &self.engine
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// Elasticsearch 8.19 in memory, at the present time, with an empty repository and the fewest indices that make an
/// installation.
#[must_use]
pub fn engine_with_installation(repository: &str) -> MemoryEngine {
    installed(Dialect::Elasticsearch8_19, now(), repository)
}

/// The same of another engine.
#[must_use]
pub fn engine_with_installation_of(dialect: Dialect, repository: &str) -> MemoryEngine {
    installed(dialect, now(), repository)
}

/// The same with another time on its clock.
#[must_use]
pub fn engine_with_installation_at(now: Timestamp, repository: &str) -> MemoryEngine {
    installed(Dialect::Elasticsearch8_19, now, repository)
}

fn installed(dialect: Dialect, now: Timestamp, repository: &str) -> MemoryEngine {
    let engine = MemoryEngine::new(dialect);
    engine.pass_until(now);
    engine.add_repository(repository, false);
    for kind in ["timestamp-based-import-index_v5", "metadata_v3", "settings_v3", "process-instance-invoice_v8"] {
        engine.add_index(&format!("{PREFIX}-{kind}"));
    }
    engine.set_document(&format!("{PREFIX}-metadata_v3"), Some(json!({"schemaVersion": SCHEMA_VERSION})));
    engine
}

/// The moment that it is everywhere else, for an engine's clock.
#[must_use]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

pub(crate) async fn answer(
    State(engine): State<Arc<MemoryEngine>>,
    method: Method,
    uri: Uri,
    body: String,
) -> (StatusCode, [(HeaderName, &'static str); 1], String) {
    let json = [(CONTENT_TYPE, "application/json")];
    let method = match method {
        Method::GET => backup_core::Method::Get,
        Method::PUT => backup_core::Method::Put,
        Method::POST => backup_core::Method::Post,
        Method::DELETE => backup_core::Method::Delete,
        _ => return (StatusCode::METHOD_NOT_ALLOWED, json, String::new()),
    };
    let request = Request {
        method,
        path: uri.path().split('/').skip(1).map(decoded).collect(),
        query: uri.query().unwrap_or_default().split('&').filter_map(parameter).collect(),
        body: Some(body).filter(|body| !body.is_empty()),
    };
    engine.pass_until(now());
    match engine.send(&request) {
        Ok(answer) => (StatusCode::from_u16(answer.status).unwrap_or_default(), json, answer.body),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, json, error.to_string()),
    }
}

fn parameter(pair: &str) -> Option<(String, String)> {
    let (name, value) = pair.split_once('=')?;
    Some((decoded(name), decoded(value)))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
