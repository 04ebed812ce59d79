//! The proxy's side of the connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Shared;
use super::answer::Answer;
use super::behaviour::Outcome;
use super::body::FaultyBody;
use super::request::Request;
use crate::client::http;

/// How long an engine takes is between it and the caller: this is as good as no limit.
const UNLIMITED: Duration = Duration::from_secs(3600);

/// Accepts connections until the task is aborted, and ends them with it.
pub(super) async fn serve(mut listener: TcpListener, shared: Arc<Shared>) -> Result<()> {
    loop {
        let (connections, outage) = accept_until_outage(&listener, &shared).await;
        drop(listener);
        // Not before: who is cut off comes again at once.
        drop(connections);
        tokio::time::sleep(outage).await;
        listener = shared.port.open()?;
    }
}

/// Accepts connections until one of them makes an outage: all of them, and how long it lasts.
async fn accept_until_outage(listener: &TcpListener, shared: &Arc<Shared>) -> (JoinSet<()>, Duration) {
    let (to_outage, mut outages) = mpsc::channel(1);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(connection(stream, Arc::clone(shared), to_outage.clone()));
            }
            Some(outage) = outages.recv() => return (connections, outage),
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, outage: mpsc::Sender<Duration>) {
    let reset = AtomicBool::new(false);
    // An error of the service makes hyper end the connection without an answer.
    let service = service_fn(|request| respond(&shared, request, &reset, &outage));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = (&mut connection).await;
    let stream = connection.into_parts().io.into_inner();
    if reset.load(Ordering::Relaxed) {
        let _ = stream.set_zero_linger();
    }
}

/// The answer to a request, or an error to end the connection.
async fn respond(
    shared: &Shared,
    request: hyper::Request<Incoming>,
    reset: &AtomicBool,
    outage: &mpsc::Sender<Duration>,
) -> Result<Response<FaultyBody>> {
    let request = Request::read(request).await?;
    let fault = shared.take(&request);
    let genuine = if fault.forward { forward(shared, &request).await? } else { Answer::default() };
    tokio::time::sleep(fault.delay).await;
    match fault.outcome {
        Outcome::Genuine => genuine.whole(),
        Outcome::Rewritten(rewrite) => rewrite.apply(genuine)?.whole(),
        Outcome::Instead(answer) => answer.whole(),
        Outcome::CutAfter(length) => genuine.cut_after(length),
        Outcome::Dripping(pieces, beat) => genuine.dripping(pieces, beat),
        Outcome::Outage(duration) => {
            outage.send(duration).await?;
            std::future::pending().await
        }
        Outcome::Close => bail!("closed, as the test wants it"),
        Outcome::Reset => {
            reset.store(true, Ordering::Relaxed);
            bail!("reset, as the test wants it")
        }
        Outcome::Silence => std::future::pending().await,
    }
}

/// The engine's answer. An engine that does not answer ends the caller's connection too.
async fn forward(shared: &Shared, request: &Request) -> Result<Answer> {
    let Some(engine) = &shared.engine else {
        let body = format!("no rule for {} {}", request.method, request.path);
        return Ok(Answer { status: 501, body: body.into(), ..Answer::default() });
    };
    let mut headers = request.headers.clone();
    for name in [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    let call = http()?
        .request(request.method.clone(), engine.join(&request.path)?)
        .timeout(UNLIMITED)
        .headers(headers)
        .body(request.body.clone());
    Answer::read(call.send().await?).await
}
