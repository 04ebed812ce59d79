//! Putting the parts together, and taking them down again.

mod start_log;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backup_core::milliseconds;
use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::backups::{BackupService, OptimizeUrl, Retention, Scheduler};
use crate::elasticsearch::{Capability, Client, ClientError, Destination, Grants, Measured, Readiness, Subject};
use crate::http::{self, Api, Callers, ConnectionLimits, PortTls, Presentation, TlsError};
use crate::metrics::Metrics;
use crate::policy::admission::Admission;
use crate::policy::signature::KeyError;
use crate::policy::{
    Cache, CallContext, Policies, PolicyFile, StartError, Updates, WATCH_INTERVAL, initial_policy, watch,
};
use crate::sandbox::{Sandbox, types};
use crate::settings::{Host, InvalidValue, PolicySettings, Settings, SettingsError};
use crate::telemetry::{self, InvalidLevels, Loggers};

/// Why the server did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("backup.logLevel: {0}")]
    LogLevel(#[from] InvalidLevels),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the WebAssembly sandbox cannot be set up: {0:#}")]
    Sandbox(wasmtime::Error),
    #[error(transparent)]
    Policy(#[from] StartError),
    #[error("policy.keys: {0}")]
    Key(#[from] KeyError),
    #[error("the metrics cannot be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("security: {0}")]
    Callers(InvalidValue),
    #[error(
        "management.server.address, container.host, container.ports.actuator: cannot listen on {address}: {error}; end what listens there, or set another address or port"
    )]
    Listen { address: String, error: io::Error },
    #[error("the server cannot go on: {0}")]
    Io(#[from] io::Error),
}

/// How long what is under way may take to end after a signal. Kubernetes kills after 30 s.
const GRACE: Duration = Duration::from_secs(20);
/// How long readiness is down before the listener closes, so that callers go elsewhere first.
const READINESS_PAUSE: Duration = Duration::from_secs(3);

/// Serves until SIGTERM or SIGINT.
pub fn serve(settings: Settings) -> Result<(), ServeError> {
    // Dropped last, when all is said.
    let (loggers, _flush_at_end) = telemetry::install(&settings.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(settings, loggers));
    // What is left is waiting for the engine on behalf of nobody.
    runtime.shutdown_background();
    outcome
}

async fn run(settings: Settings, loggers: Arc<Loggers>) -> Result<(), ServeError> {
    let started = Instant::now();
    let (host, port, policy) = (settings.host.clone(), settings.port, settings.policy.clone());
    start_log::settings(&settings);
    let tls = settings.tls.clone().map(PortTls::new).transpose()?.map(Arc::new);
    tls.iter().for_each(|tls| tls.keep_looking());
    let callers = callers(&settings)?;
    let api = Arc::new(assemble(settings, loggers, callers).await?);
    start_log::policy(&api.updates.policies().serving().admitted);
    await_updates(&api.updates, &policy)?;
    let limits = ConnectionLimits::of_this_process()?;
    let listener = listen(&host, port).await?;
    let signals = StopSignals::new()?;
    tokio::spawn(Arc::clone(&api.service).adopt_forever());
    tokio::spawn(unattended(&api));
    if let Some(tls) = &tls {
        tokio::spawn(Arc::clone(tls).tell_expiry(Arc::clone(&api.metrics)));
    }
    tokio::spawn({
        let api = Arc::clone(&api);
        async move { api.readiness.watch_forever().await }
    });
    tracing::info!(address = %listener.local_addr()?, afterMilliseconds = milliseconds(started.elapsed()), "listening");
    serve_until(listener, tls, api, limits, signals).await;
    tracing::info!("stopped");
    Ok(())
}

/// What is done without a request, until the server is about to stop: backups by the schedule, and the deletion of those
/// that expire.
fn unattended(api: &Api) -> impl Future<Output = ()> + Send + use<> {
    let (scheduler, retention) = (Arc::clone(&api.scheduler), Arc::clone(&api.retention));
    let stopping = api.stopping.clone();
    async move {
        let work = async { tokio::join!(scheduler.run_forever(), retention.run_forever()) };
        stopping.run_until_cancelled(work).await;
    }
}

fn callers(settings: &Settings) -> Result<Callers, ServeError> {
    let needs_certificate = settings.tls.as_ref().is_some_and(|tls| tls.trust_certificate.is_some());
    let callers = Callers::new(settings.callers.clone(), needs_certificate).map_err(ServeError::Callers)?;
    callers.keep_looking();
    Ok(callers)
}

/// Builds everything from the settings; connects to nothing yet.
pub(crate) async fn assemble(settings: Settings, loggers: Arc<Loggers>, callers: Callers) -> Result<Api, ServeError> {
    let metrics = Arc::new(Metrics::new()?);
    let client = Arc::new(Client::new(settings.connection.clone(), settings.limits)?);
    client.keep_looking();
    let measured = Measured::new(client, settings.limits.request_timeout, metrics.engine.clone());
    let grants = Grants::new(settings.repository.clone(), settings.index_prefix.clone());
    let capability =
        Capability::new(Destination::cluster(Arc::new(measured)), grants).counted_by(Some(metrics.engine.clone()));
    let subject = Subject {
        engine: settings.engine,
        repository: settings.repository.clone(),
        prefix: settings.index_prefix.clone(),
    };
    let context = CallContext { capability: capability.clone(), settings: policy_settings(&settings) };
    let updates = updates(&settings, context, &metrics).await?;
    let service = BackupService::new(Arc::clone(updates.policies()), &metrics, settings.optimize_url.map(OptimizeUrl));
    let retention = Retention::new(Arc::clone(&service), settings.retention, Arc::clone(&metrics));
    let scheduler =
        Scheduler::new(Arc::clone(&service), Arc::clone(&retention), Arc::clone(&metrics), settings.schedule);
    Ok(Api {
        service,
        retention,
        scheduler,
        readiness: Readiness::new(capability, subject),
        metrics,
        presentation: Presentation { complete_state: settings.complete_state, time_zone: TimeZone::system() },
        updates,
        callers: Arc::new(callers),
        stopping: CancellationToken::new(),
        loggers,
    })
}

/// Finds the policy to begin with, and prepares for others.
async fn updates(
    settings: &Settings,
    context: CallContext,
    metrics: &Arc<Metrics>,
) -> Result<Arc<Updates>, ServeError> {
    let policy = &settings.policy;
    let sandbox = Sandbox::new(policy.call).map_err(ServeError::Sandbox)?;
    let admission = Admission::from_settings(Arc::clone(&sandbox), policy)?;
    let file = policy.path.clone().map(PolicyFile::new);
    let cache = policy.cache_dir.clone().map(Cache::new);
    let initial = initial_policy(&sandbox, &admission, file.as_ref(), cache.as_ref()).await?;
    let policies = Policies::new(initial.admitted, policy.max_failures, context, Arc::clone(metrics));
    policies.restore(initial.withdrawals);
    Ok(Updates::new(policies, admission, file, cache, initial.verdict))
}

/// Looks for another policy when the file changes and when somebody sends SIGHUP.
fn await_updates(updates: &Arc<Updates>, policy: &PolicySettings) -> io::Result<()> {
    let mut hangups = signal(SignalKind::hangup())?;
    if let Some(path) = policy.path.clone() {
        tokio::spawn(watch(PolicyFile::new(path), WATCH_INTERVAL, Arc::clone(updates)));
    }
    let updates = Arc::clone(updates);
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            updates.reload().await;
        }
    });
    Ok(())
}

fn policy_settings(settings: &Settings) -> types::Settings {
    (&backup_actuator::policy_settings(settings)).into()
}

async fn listen(host: &Host, port: u16) -> Result<TcpListener, ServeError> {
    let listener = TcpListener::bind((host.as_str(), port)).await;
    listener.map_err(|error| ServeError::Listen { address: host.with_port(port), error })
}

/// Serves until the first signal, then waits for requests and steps of runs, but not for ever: another host or the next start
/// resumes what is cut off. A second signal cuts it off at once.
async fn serve_until(
    listener: TcpListener,
    tls: Option<Arc<PortTls>>,
    api: Arc<Api>,
    limits: ConnectionLimits,
    mut signals: StopSignals,
) {
    let (stopping, closing) = (api.stopping.clone(), CancellationToken::new());
    let service = Arc::clone(&api.service);
    let server = http::serve(listener, tls, http::router(api), limits, closing.clone());
    let runs_ended = async {
        closing.cancelled().await;
        tokio::join!(service.runs.shut_down(), service.restores.shut_down(), service.verifications.shut_down());
    };
    let stop = async {
        let pause = signals.next().await;
        tracing::info!("stopping");
        stopping.cancel();
        let close = async {
            tokio::time::sleep(pause).await;
            closing.cancel();
            tokio::time::sleep(GRACE.saturating_sub(pause)).await;
        };
        tokio::select! {
            () = close => {
                tracing::warn!("requests or runs are still waiting for the search engine; stopping without them");
            }
            _ = signals.next() => tracing::warn!("a second signal: stopping at once"),
        }
    };
    tokio::select! {
        ((), ()) = async { tokio::join!(server, runs_ended) } => {}
        () = stop => {}
    }
}

/// SIGTERM, which orchestrators send, and SIGINT, which is somebody's Ctrl-C.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of them. Returns how long to serve on with readiness down: nobody who presses Ctrl-C wants to wait.
    async fn next(&mut self) -> Duration {
        tokio::select! {
            _ = self.terminate.recv() => READINESS_PAUSE,
            _ = self.interrupt.recv() => Duration::ZERO,
        }
    }
}
