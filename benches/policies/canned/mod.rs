//! An engine that gives recorded answers: what Elasticsearch 8.19 answered to the same requests about backups of this host,
//! multiplied. It costs next to nothing, and the same for every host that is compared.
//!
//! Repositories come into being by their names: `backups-10000` has 10,000 backups. One of `every-field-10000` ignores
//! `filter_path`, as some proxies do.

mod recorded;
mod request;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use self::request::Requested;

/// The server, in a thread of its own until the process ends.
pub(crate) struct CannedEngine {
    port: u16,
    answers: Arc<Answers>,
}

/// What has been answered before, by the request's target.
#[derive(Default)]
struct Answers {
    known: Mutex<HashMap<String, (StatusCode, Bytes)>>,
    /// How many lists of whole snapshots were answered.
    full_lists: AtomicUsize,
}

impl CannedEngine {
    pub(crate) fn start() -> Result<Self> {
        let answers = Arc::new(Answers::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("opening a port")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let shared = Arc::clone(&answers);
        std::thread::spawn(move || runtime.block_on(accept(listener, shared)));
        Ok(Self { port, answers })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many lists of more than one backup, with all metadata, it has answered.
    pub(crate) fn full_lists(&self) -> usize {
        self.answers.full_lists.load(Ordering::Relaxed)
    }

    /// The list of all backups of this repository that it has answered with.
    pub(crate) fn listed(&self, repository: &str) -> Option<Bytes> {
        let known = self.answers.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of_repository = format!("/_snapshot/{repository}/");
        let is_list = |target: &str| {
            target.starts_with(&of_repository) && Requested::parse(target).is_some_and(|parsed| parsed.is_full_list())
        };
        known.iter().find(|(target, _)| is_list(target)).map(|(_, (_, body))| body.clone())
    }
}

/// The name of a repository with so many backups.
pub(crate) fn repository(backups: usize) -> String {
    format!("{}{backups}", request::FILTERED)
}

/// The name of one that answers with every field, whatever is asked for.
pub(crate) fn every_field(backups: usize) -> String {
    format!("{}{backups}", request::EVERY_FIELD)
}

/// The ID of a backup in such a repository, counted from 0: the oldest.
pub(crate) fn id(number: usize) -> usize {
    recorded::FIRST_ID + number
}

async fn accept(listener: std::net::TcpListener, answers: Arc<Answers>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, Arc::clone(&answers)));
    }
}

async fn serve(stream: TcpStream, answers: Arc<Answers>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| {
        let (status, body) = answers.answer(&request);
        async move { Ok::<_, Infallible>(response(status, body)) }
    });
    // A host may close its connection at any moment.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

fn response(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl Answers {
    fn answer(&self, request: &Request<Incoming>) -> (StatusCode, Bytes) {
        let target = request.uri().path_and_query().map(|target| target.as_str()).unwrap_or_default();
        let requested = Requested::parse(target);
        if requested.as_ref().is_some_and(Requested::is_full_list) {
            self.full_lists.fetch_add(1, Ordering::Relaxed);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(target) {
            return answer.clone();
        }
        let (status, body) = match requested.map(|requested| requested.answer()) {
            Some(Ok(body)) => (StatusCode::OK, body),
            Some(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            None => (StatusCode::NOT_IMPLEMENTED, format!("the bench has no answer to {target}")),
        };
        let answer = (status, Bytes::from(body));
        known.insert(target.to_owned(), answer.clone());
        answer
    }
}
