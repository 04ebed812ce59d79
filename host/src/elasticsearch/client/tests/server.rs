use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio_rustls::TlsAcceptor;

use crate::settings::{Host, Node};

/// What a server does once it has read a request.
#[derive(Clone)]
pub(super) enum Answer {
    /// Sends these bytes, as soon as it is let, and closes the connection.
    Bytes(Vec<u8>, Option<Arc<Notify>>),
    /// Sends the beginning of an answer, and then a byte now and then without end.
    Drip,
    /// Sends nothing and keeps the connection open.
    Silence,
}

/// A server on a port of its own that treats every connection alike.
pub(super) struct Server {
    /// Where it is.
    pub(super) node: Node,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Answer {
    pub(super) fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(bytes.into(), None)
    }
}

impl Server {
    pub(super) async fn start(answer: Answer) -> Self {
        Self::start_with(answer, None).await
    }

    pub(super) async fn start_with(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = mpsc::unbounded_channel();
        tokio::spawn(accept(listener, answer, tls, sender));
        Self { node: Node { host: Host::parse("127.0.0.1").unwrap(), port }, requests }
    }

    /// The next request that arrived, as text.
    pub(super) async fn request(&mut self) -> String {
        self.requests.recv().await.unwrap()
    }

    /// Whether no request has arrived but those that were already taken.
    pub(super) fn is_untouched(&self) -> bool {
        self.requests.is_empty()
    }
}

async fn accept(
    listener: TcpListener,
    answer: Answer,
    tls: Option<TlsAcceptor>,
    requests: mpsc::UnboundedSender<String>,
) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (answer, tls, requests) = (answer.clone(), tls.clone(), requests.clone());
        tokio::spawn(async move {
            match tls {
                // A failed handshake is the client's to notice.
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => serve(stream, answer, requests).await,
                    Err(_refused) => (),
                },
                None => serve(stream, answer, requests).await,
            }
        });
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: Answer,
    requests: mpsc::UnboundedSender<String>,
) {
    let Some(request) = read_request(&mut stream).await else { return };
    requests.send(request).unwrap();
    // Errors below mean that the client has gone, as it may.
    match answer {
        Answer::Bytes(bytes, gate) => {
            if let Some(gate) = gate {
                gate.notified().await;
            }
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Answer::Drip => {
            let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n").await;
            while sent.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
                sent = stream.write_all(b".").await;
            }
        }
        Answer::Silence => {
            let _ = stream.read_u8().await;
        }
    }
}

/// `None`: the connection was closed without a request.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut request = String::new();
    while !is_complete(&request) {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        request += &String::from_utf8_lossy(&buffer[..read]);
    }
    Some(request)
}

fn is_complete(request: &str) -> bool {
    const TLS_HANDSHAKE: char = '\x16';
    if request.starts_with(TLS_HANDSHAKE) {
        return true;
    }
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}
