//! Putting the parts together, and taking them down again.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backup_core::EngineKind;
use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::elasticsearch::{Client, ClientError, Grants};
use crate::http::{self, Api, Presentation};
use crate::metrics::Metrics;
use crate::operations::Operations;
use crate::policy::{self, Capability, LoadError, Policy, Sandbox, types};
use crate::readiness::Readiness;
use crate::runs::Runs;
use crate::service::BackupService;
use crate::settings::{Settings, SettingsError};
use crate::telemetry;

/// Why the server did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The log filter is wrong.
    #[error(
        "backup.logLevel: {0}; allowed are error, warn, info, debug, trace, or a filter such as info,optimize_backup=debug"
    )]
    LogLevel(#[from] tracing_subscriber::filter::ParseError),
    /// The connection to the engine cannot work.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// WebAssembly cannot run here.
    #[error("the WebAssembly sandbox cannot be set up: {0:#}")]
    Sandbox(wasmtime::Error),
    /// The policy's file cannot be read.
    #[error("policy.path: {path} cannot be read: {fault}", path = path.display())]
    PolicyFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        fault: io::Error,
    },
    /// The component is not a policy.
    #[error("policy.path: {0}")]
    Policy(#[from] LoadError),
    /// Two metrics have one name.
    #[error("the metrics cannot be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The port is taken, or not ours to take.
    #[error("container.ports.actuator: cannot listen on port {port}: {fault}")]
    Listen {
        /// The port.
        port: u16,
        /// Why not.
        fault: io::Error,
    },
    /// The operating system refused something else.
    #[error("the server cannot go on: {0}")]
    Io(#[from] io::Error),
}

/// How long what is under way may take to end after a signal. Kubernetes kills after 30 s.
const GRACE: Duration = Duration::from_secs(20);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// [`ServeError`].
pub fn serve(settings: Settings) -> Result<(), ServeError> {
    telemetry::install(&settings.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(settings));
    // What is left is waiting for the engine on behalf of nobody.
    runtime.shutdown_background();
    outcome
}

async fn run(settings: Settings) -> Result<(), ServeError> {
    let started = Instant::now();
    let port = settings.port;
    let api = Arc::new(assemble(settings)?);
    let listener = listen(port).await?;
    let stop = stop_signal()?;
    let runs = Arc::clone(&api.service.runs);
    tokio::spawn(Arc::clone(&runs).adopt_forever());
    tracing::info!(address = %listener.local_addr()?, after = ?started.elapsed(), "listening");
    serve_until(listener, http::router(api), stop, runs).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Builds everything from the settings; connects to nothing yet.
fn assemble(settings: Settings) -> Result<Api, ServeError> {
    let sandbox = Sandbox::new(limits(&settings)).map_err(ServeError::Sandbox)?;
    let policy = Arc::new(load_policy(&settings, &sandbox)?);
    let capability = Capability {
        grants: Arc::new(Grants::new(settings.repository.clone(), settings.index_prefix.clone())),
        client: Arc::new(Client::new(settings.connection.clone(), settings.limits)?),
    };
    let metrics = Arc::new(Metrics::new()?);
    let operations = Operations::new(policy, capability.clone(), policy_settings(&settings), Arc::clone(&metrics));
    Ok(Api {
        service: BackupService::new(operations, &metrics),
        readiness: Readiness::new(capability, settings.repository),
        metrics,
        presentation: Presentation { complete_state: settings.complete_state, time_zone: TimeZone::system() },
    })
}

fn load_policy(settings: &Settings, sandbox: &Arc<Sandbox>) -> Result<Policy, ServeError> {
    let Some(path) = &settings.policy.path else {
        return Ok(Policy::load(sandbox, policy::EMBEDDED)?);
    };
    let component = std::fs::read(path).map_err(|fault| ServeError::PolicyFile { path: path.clone(), fault })?;
    Ok(Policy::load(sandbox, &component)?)
}

fn limits(settings: &Settings) -> policy::CallLimits {
    policy::CallLimits {
        memory: settings.policy.max_memory_bytes,
        cpu_time: settings.policy.cpu_time,
        wall_time: settings.limits.request_timeout,
        engine_calls: settings.policy.max_engine_calls,
    }
}

fn policy_settings(settings: &Settings) -> types::Settings {
    types::Settings {
        repository: settings.repository.as_ref().map(ToString::to_string).unwrap_or_default(),
        index_prefix: settings.index_prefix.to_string(),
        optimize_version: settings.optimize_version.as_ref().map(ToString::to_string),
        engine: match settings.engine {
            EngineKind::Elasticsearch => types::Engine::Elasticsearch,
            EngineKind::OpenSearch => types::Engine::Opensearch,
        },
        resume_window: u64::try_from(settings.resume_window.as_millis()).unwrap_or(u64::MAX),
    }
}

async fn listen(port: u16) -> Result<TcpListener, ServeError> {
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    TcpListener::bind(address).await.map_err(|fault| ServeError::Listen { port, fault })
}

/// Serves until `stop`, then lets requests and steps of runs that are under way end, but not for ever:
/// whatever is cut off, another host or the next start goes on with.
async fn serve_until(
    listener: TcpListener,
    router: axum::Router,
    stop: impl Future<Output = ()> + Send + 'static,
    runs: Arc<Runs>,
) -> io::Result<()> {
    let stopping = CancellationToken::new();
    let server = {
        let stopping = stopping.clone();
        axum::serve(listener, router).with_graceful_shutdown(async move {
            stop.await;
            tracing::info!("stopping");
            stopping.cancel();
        })
    };
    let runs_ended = async {
        stopping.cancelled().await;
        runs.shut_down().await;
    };
    let grace_is_over = async {
        stopping.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        (outcome, ()) = async { tokio::join!(server.into_future(), runs_ended) } => outcome,
        () = grace_is_over => {
            tracing::warn!("requests or runs are still waiting for the engine; stopping without them");
            Ok(())
        }
    }
}

/// Completes at the first SIGTERM or SIGINT.
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
