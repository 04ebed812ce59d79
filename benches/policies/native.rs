//! The rules of the policy without a sandbox: the same Axum, the same HTTP client, called natively.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use backup_actuator::{Backup, BackupView, Presentation, Snapshot};
use backup_core::{Context, Engine, ListQuery, Request, TransportError, operations};
use optimize_backup::clock;
use optimize_backup::http::{self, ConnectionLimits};
use optimize_backup::settings::Settings;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Client, Url};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

const NODES_KEPT: Duration = Duration::from_secs(10);

struct Native {
    engine: Direct,
    settings: backup_core::Settings,
    presentation: Presentation,
}

/// The engine, without grants and retries.
struct Direct {
    client: Client,
    url: Url,
    /// The answer of the nodes and when it came, if it is to be kept.
    nodes: Option<Mutex<Option<(Instant, backup_core::Response)>>>,
}

/// Serves until the process is killed.
pub(crate) async fn serve(listener: TcpListener, keep_nodes: bool) -> Result<()> {
    let settings = Settings::load(None, |name: &str| std::env::var(name).ok())?;
    let node = settings.connection.nodes.first().map(ToString::to_string).unwrap_or_default();
    let client = Client::builder()
        .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]))
        .tls_certs_only([])
        .no_proxy()
        .build()?;
    let native = Native {
        engine: Direct { client, url: Url::parse(&format!("http://{node}"))?, nodes: keep_nodes.then(Mutex::default) },
        settings: backup_actuator::policy_settings(&settings),
        presentation: Presentation { complete_state: settings.complete_state, time_zone: jiff::tz::TimeZone::system() },
    };
    let router = Router::new()
        .route("/actuator/backups", get(list))
        .route("/actuator/backups/{backupId}", get(backup))
        .with_state(Arc::new(native));
    http::serve(listener, None, router, ConnectionLimits::of_this_process()?, CancellationToken::new()).await;
    Ok(())
}

async fn list(State(native): State<Arc<Native>>) -> Result<Json<Vec<BackupView>>, Failed> {
    let page = native.call(|engine, context| operations::list(engine, context, &ListQuery::default()))?;
    Ok(Json(page.backups.into_iter().map(|backup| native.view(backup)).collect()))
}

async fn backup(State(native): State<Arc<Native>>, Path(id): Path<String>) -> Result<Json<BackupView>, Failed> {
    let backup = native.call(|engine, context| operations::get(engine, context, &id))?;
    Ok(Json(native.view(backup)))
}

/// An error of the rules, which no measured request has.
struct Failed(backup_core::Error);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0.to_string()).into_response()
    }
}

impl Native {
    /// The rules are synchronous: while they wait for the engine, this thread serves nobody else.
    fn call<T>(&self, rules: impl FnOnce(&Direct, &Context) -> Result<T, backup_core::Error>) -> Result<T, Failed> {
        let context = Context {
            settings: self.settings.clone(),
            now: backup_core::Timestamp(clock::since_epoch().as_millis() as u64),
            engine_clock: backup_core::EngineClock::NotAsked,
            run_id: String::new(),
            host: String::new(),
            notes: Vec::new(),
        };
        tokio::task::block_in_place(|| rules(&self.engine, &context)).map_err(Failed)
    }

    fn view(&self, backup: backup_core::Backup) -> BackupView {
        let details = backup.snapshots.into_iter().map(|snapshot| Snapshot {
            snapshot_name: snapshot.name.to_string(),
            state: snapshot.state,
            start_time: snapshot.started.map(|started| started.0),
            failures: snapshot.failures,
        });
        let details = details.collect();
        let (backup_id, state, failure_reason) = (backup.id.get(), backup.state, backup.failure_reason);
        BackupView::new(Backup { backup_id, state, failure_reason, details }, &self.presentation)
    }
}

impl Direct {
    async fn fetch(&self, request: &Request) -> reqwest::Result<backup_core::Response> {
        let mut url = self.url.clone();
        url.set_path(&backup_elasticsearch::path("", request));
        url.set_query(backup_elasticsearch::query(request).as_deref());
        let mut answer = self.client.get(url).send().await?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(backup_core::Response { status, retry_after: None, body: String::from_utf8(body).unwrap_or_default() })
    }

    fn fetch_now(&self, request: &Request) -> Result<backup_core::Response, TransportError> {
        let interrupted = |error: &dyn fmt::Display| TransportError::Interrupted(error.to_string());
        Handle::current().block_on(self.fetch(request)).map_err(|error| interrupted(&error))
    }
}

impl Engine for Direct {
    fn send(&self, request: &Request) -> Result<backup_core::Response, TransportError> {
        let of_nodes = request.path.first().is_some_and(|segment| segment == "_nodes");
        let Some(nodes) = self.nodes.as_ref().filter(|_| of_nodes) else { return self.fetch_now(request) };
        let mut kept = nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answer)) = kept.as_ref().filter(|(since, _)| since.elapsed() < NODES_KEPT) {
            return Ok(answer.clone());
        }
        let answer = self.fetch_now(request)?;
        *kept = Some((Instant::now(), answer.clone()));
        Ok(answer)
    }

    fn submit(&self, _: &Request) -> Result<Option<backup_core::Response>, TransportError> {
        Err(TransportError::Denied("the bench deletes nothing".to_owned()))
    }
}
