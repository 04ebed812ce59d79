//! What `wasmtime serve` does, with the same crates: an instance for each request, which lives on after its
//! answer until its handler returns.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use backup_test_support::host::Host;
use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OnceCell, oneshot, watch};
use tokio::task::JoinSet;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{Error, RequestOptions, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

type Body = UnsyncBoxBody<Bytes, Error>;
type Environment = Arc<[(String, String)]>;

/// Serves the actuator on a port of its own, in a task that ends with the [`Host`].
#[must_use]
pub fn serve(environment: Vec<(String, String)>) -> Pin<Box<dyn Future<Output = Result<Host>>>> {
    Box::pin(async {
        let instances = instances().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let mut server = JoinSet::new();
        let (alive, host) = watch::channel(());
        server.spawn(accept(listener, instances, environment.into(), host));
        Host::within(port, (server, alive))
    })
}

/// Builds the actuator, so that [`serve_pooled`] in another process finds it built.
///
/// # Errors
/// If it does not build.
pub async fn build() -> Result<()> {
    crate::actuator::file().await.map(drop)
}

/// Serves the actuator until the process ends, with a pool of instances as `wasmtime serve` has it. That reserves too much
/// address space for tests, of which many run at once.
///
/// # Errors
/// If the actuator does not build.
pub async fn serve_pooled(listener: TcpListener, environment: Vec<(String, String)>) -> Result<()> {
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    let instances = compile(config).await?;
    let (_alive, host) = watch::channel(());
    accept(listener, instances, environment.into(), host).await;
    Ok(())
}

/// The actuator, compiled once.
async fn instances() -> Result<ProxyPre<Client>> {
    static INSTANCES: OnceCell<ProxyPre<Client>> = OnceCell::const_new();
    INSTANCES.get_or_try_init(|| compile(Config::new())).await.cloned()
}

async fn compile(config: Config) -> Result<ProxyPre<Client>> {
    let file = crate::actuator::file().await?;
    let compiled = tokio::task::spawn_blocking(move || {
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        ProxyPre::new(linker.instantiate_pre(&Component::from_file(&engine, file)?)?)
    });
    compiled.await?.map_err(|error| anyhow::anyhow!("{error:#}"))
}

async fn accept(
    listener: TcpListener,
    instances: ProxyPre<Client>,
    environment: Environment,
    host: watch::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (instances, environment, host) = (instances.clone(), Arc::clone(&environment), host.clone());
        connections.spawn(async move {
            let handler = service_fn(|request| handle(&instances, &environment, &host, request));
            // A caller may close its connection at any moment.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), handler).await;
        });
    }
}

async fn handle(
    instances: &ProxyPre<Client>,
    environment: &Environment,
    host: &watch::Receiver<()>,
    request: Request<Incoming>,
) -> wasmtime::Result<Response<Body>> {
    let mut store = Store::new(instances.engine(), Client::new(environment));
    let (sender, receiver) = oneshot::channel();
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let out = store.data_mut().http().new_response_outparam(sender)?;
    let (instances, mut host) = (instances.clone(), host.clone());
    let handler = async move {
        let proxy = instances.instantiate_async(&mut store).await?;
        proxy.wasi_http_incoming_handler().call_handle(store, request, out).await
    };
    // The handler keeps running after it has sent its answer, until it returns or the host ends.
    let handler = tokio::spawn(async move {
        tokio::select! {
            handled = handler => handled,
            _gone = host.changed() => wasmtime::bail!("the host has ended"),
        }
    });
    match receiver.await {
        Ok(answer) => Ok(answer?),
        Err(_no_answer) => {
            handler.await??;
            wasmtime::bail!("the handler returned without an answer")
        }
    }
}

/// What belongs to one request.
struct Client {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    network: Network,
    table: ResourceTable,
}

impl Client {
    fn new(environment: &[(String, String)]) -> Self {
        Self {
            wasi: WasiCtx::builder().envs(environment).build(),
            http: WasiHttpCtx::new(),
            network: Network,
            table: ResourceTable::new(),
        }
    }
}

impl WasiView for Client {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Client {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.network }
    }
}

/// Sends requests without TLS: the crate's own sender would bring a second library for cryptography.
struct Network;

type Finished = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Network {
    fn send_request(
        &mut self,
        request: Request<Body>,
        options: Option<RequestOptions>,
        _: Finished,
    ) -> Box<dyn Future<Output = Result<(Response<Body>, Finished), Error>> + Send> {
        Box::new(send(request, options))
    }
}

async fn send(
    mut request: Request<Body>,
    options: Option<RequestOptions>,
) -> Result<(Response<Body>, Finished), Error> {
    let authority = request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?.to_string();
    let limit = options.and_then(|options| options.connect_timeout).unwrap_or(Duration::from_secs(10));
    let stream = tokio::time::timeout(limit, TcpStream::connect(authority)).await;
    let stream = stream.map_err(|_elapsed| Error::ConnectionTimeout)?.map_err(Error::Connect)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    *request.uri_mut() = Uri::try_from(path).map_err(|_| Error::HttpRequestUriInvalid)?;
    let response = sender.send_request(request).await?;
    Ok((response.map(|body| body.map_err(Error::from).boxed_unsync()), Box::new(async { Ok(()) })))
}
