//! Accepts connections and serves HTTP/1.1 on them.
//!
//! A connection is idle while no request of it is being answered, also while it sends a request's head or body. Idle
//! connections, and those whose TLS handshake goes on, are closed when they take too long, when the server stops, and the oldest of them when there are too many: callers
//! who hold connections can neither keep others out nor take the descriptors that the connection to the engine needs.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{
    self,
    ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset},
};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::tls::{self, PortTls};

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// The name in the client certificate, if one was sent that is trusted.
    pub(super) certified: Option<Arc<str>>,
}

/// What connections may use.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    pub max_connections: usize,
    /// How long a connection may be idle.
    pub idle_timeout: Duration,
}

/// How long a connection that is closed may take to send what is left of its last answer.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long no connection is accepted after the operating system refused one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What the head of a request may have, and so what a connection can hold that sends it slowly.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How often full connections are logged.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

impl ConnectionLimits {
    /// As many connections as this process may have, less what the engine, files and the rest need.
    ///
    /// # Errors
    /// If the limit of open files cannot be read.
    pub fn of_this_process() -> io::Result<Self> {
        const MAX_CONNECTIONS: u64 = 4_096;
        const RESERVED: u64 = 256;
        let files = rlimit::increase_nofile_limit(u64::MAX)?;
        let max_connections = files.saturating_sub(RESERVED).max(files / 2).min(MAX_CONNECTIONS);
        let max_connections = usize::try_from(max_connections).unwrap_or(usize::MAX);
        Ok(Self { max_connections, idle_timeout: Duration::from_secs(30) })
    }
}

/// Serves until `stop`, then until the requests that are being answered have their answers.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<PortTls>>,
    router: Router,
    limits: ConnectionLimits,
    stop: CancellationToken,
) {
    let connections = Arc::new(Connections { limits, open: Mutex::default(), logged: Mutex::default() });
    let tasks = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, address)) => {
                if let Some(connection) = Connections::open(&connections, &stop) {
                    let peer =
                        Peer { address: SocketAddr::new(address.ip().to_canonical(), address.port()), certified: None };
                    tasks.spawn(serve_stream(
                        stream,
                        tls.as_ref().map(|tls| tls.current()),
                        peer,
                        router.clone(),
                        connection,
                    ));
                }
            }
            // The caller's doing.
            Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // From now on callers are refused by the operating system and can go to another replica.
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

async fn serve_stream(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    mut peer: Peer,
    router: Router,
    connection: Connection,
) {
    // Answers are small and written whole: waiting for more of them would only delay them.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return serve_connection(stream, peer, router, connection).await };
    let Some(stream) = shake_hands(stream, tls, &peer, &connection).await else { return };
    let certificates = stream.get_ref().1.peer_certificates();
    peer.certified = certificates.and_then(<[_]>::first).map(tls::of_client);
    serve_connection(stream, peer, router, connection).await;
}

/// `None`: it failed, took too long, or the connection is not wanted any more.
async fn shake_hands(
    stream: TcpStream,
    tls: Arc<ServerConfig>,
    peer: &Peer,
    connection: &Connection,
) -> Option<TlsStream<TcpStream>> {
    let handshake = TlsAcceptor::from(tls).accept(stream);
    let handshake = tokio::time::timeout(connection.connections.limits.idle_timeout, handshake);
    let outcome = connection.state.close.run_until_cancelled(handshake).await?.ok()?;
    outcome.inspect_err(|error| log_failed_handshake(peer.address, error)).ok()
}

/// A certificate that is refused is somebody's mistake or attempt; whatever else comes to an open port is not worth a line.
fn log_failed_handshake(peer: SocketAddr, error: &io::Error) {
    let refused = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    if let Some(rustls::Error::InvalidCertificate(reason)) = refused {
        tracing::info!(%peer, %reason, "refused a client certificate (management.server.ssl.trust-certificate)");
    } else {
        tracing::debug!(%peer, %error, "a TLS handshake failed");
    }
}

async fn serve_connection<S>(stream: S, peer: Peer, router: Router, connection: Connection)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let state = connection.state.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        state.has_answered.store(true, Ordering::Relaxed);
        let (active, receiving) = (Counted::one(&state.active), Counted::one(&state.receiving));
        // Dropped when the body has been read, or is not wanted.
        let mut request = request.map(|body| Body::new(while_body_lives(body, receiving)));
        request.extensions_mut().insert(peer.clone());
        answer(router.clone(), request, active)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(connection.connections.limits.idle_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    if connection.state.close.run_until_cancelled(served.as_mut()).await.is_some() {
        return;
    }
    if !connection.state.has_answered.load(Ordering::Relaxed) {
        return;
    }
    served.as_mut().graceful_shutdown();
    while tokio::time::timeout(FLUSH_TIMEOUT, served.as_mut()).await.is_err() && !connection.state.is_idle() {}
}

async fn answer(router: Router, request: Request, active: Counted) -> Result<Response, Infallible> {
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| Body::new(while_body_lives(body, active))))
}

/// The same body. It is counted until it is dropped.
fn while_body_lives<B: HttpBody>(body: B, counted: Counted) -> impl HttpBody<Data = B::Data, Error = B::Error> {
    body.map_frame(move |frame| {
        let _ = &counted;
        frame
    })
}

struct Connections {
    limits: ConnectionLimits,
    /// By their age.
    open: Mutex<Open>,
    logged: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Open {
    accepted: u64,
    connections: BTreeMap<u64, ConnectionState>,
}

#[derive(Clone)]
struct ConnectionState {
    close: CancellationToken,
    /// How many requests are being received or answered.
    active: Arc<AtomicUsize>,
    /// How many of them have not arrived yet.
    receiving: Arc<AtomicUsize>,
    has_answered: Arc<AtomicBool>,
}

impl ConnectionState {
    fn new(close: CancellationToken) -> Self {
        Self { close, active: Arc::default(), receiving: Arc::default(), has_answered: Arc::default() }
    }

    fn is_idle(&self) -> bool {
        self.active.load(Ordering::Relaxed) <= self.receiving.load(Ordering::Relaxed)
    }
}

/// An open connection, until this is dropped.
struct Connection {
    connections: Arc<Connections>,
    number: u64,
    state: ConnectionState,
}

impl Connections {
    /// `None`: there are too many, and all of them wait for answers.
    fn open(self: &Arc<Self>, stop: &CancellationToken) -> Option<Connection> {
        let mut open = self.lock();
        if open.connections.len() >= self.limits.max_connections {
            self.log_that_there_are_too_many();
            let (&oldest, _) = open.connections.iter().find(|(_, state)| state.is_idle())?;
            open.connections.remove(&oldest)?.close.cancel();
        }
        open.accepted += 1;
        let (number, state) = (open.accepted, ConnectionState::new(stop.child_token()));
        open.connections.insert(number, state.clone());
        Some(Connection { connections: Arc::clone(self), number, state })
    }

    fn log_that_there_are_too_many(&self) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|logged| logged.elapsed() >= LOG_INTERVAL) {
            *logged = Some(Instant::now());
            let max = self.limits.max_connections;
            tracing::warn!(max, "there are too many connections; the oldest idle ones are closed for new ones");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.lock().connections.remove(&self.number);
    }
}

/// One of a count, until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn one(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
