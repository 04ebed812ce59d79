use std::net::{Ipv4Addr, SocketAddr};

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::http::tls::tests::Files;

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
    /// Ends the answer of `/slow`.
    release: Arc<Notify>,
}

impl Server {
    async fn start(max_connections: usize, idle_timeout: Duration) -> Self {
        Self::start_with(None, max_connections, idle_timeout).await
    }

    async fn start_with(tls: Option<Arc<PortTls>>, max_connections: usize, idle_timeout: Duration) -> Self {
        let release = Arc::new(Notify::new());
        let slow = Arc::clone(&release);
        let slow = get(move || async move { slow.notified().await });
        let router = Router::new()
            .route("/", get(|| async { "ready" }))
            .route("/body", post(|_: String| async {}))
            .route("/slow", slow);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let limits = ConnectionLimits { max_connections, idle_timeout };
        let task = tokio::spawn(serve(listener, tls, router, limits, stop.clone()));
        Self { address, stop, task, release }
    }

    /// A connection that has sent this.
    async fn connect(&self, sent: &str) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        connection.write_all(sent.as_bytes()).await.unwrap();
        connection
    }
}

async fn rest_of(mut connection: TcpStream) -> String {
    let mut text = String::new();
    // A reset is an end, too.
    let _ = connection.read_to_string(&mut text).await;
    text
}

const LONG: Duration = Duration::from_secs(600);
const READY: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const SLOW: &str = "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let server = Server::start(10, LONG).await;
    let mut held = Vec::new();
    for sent in ["GET / HTT", "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf"].repeat(15) {
        held.push(server.connect(sent).await);
    }
    assert!(rest_of(server.connect(READY).await).await.ends_with("ready"));
    assert_eq!(rest_of(held.remove(0)).await, "", "the oldest is closed");
}

#[tokio::test]
async fn a_connection_that_waits_for_its_answer_is_not_closed_for_another() {
    let server = Server::start(2, LONG).await;
    let waiting = [server.connect(SLOW).await, server.connect(SLOW).await];
    // Until both are known to wait, they could be taken for idle ones.
    tokio::task::yield_now().await;
    while !rest_of(server.connect(READY).await).await.is_empty() {}
    server.release.notify_waiters();
    server.stop.cancel();
    for connection in waiting {
        assert!(rest_of(connection).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let server = Server::start(10, Duration::from_millis(50)).await;
    let (silent, half) = (server.connect("").await, server.connect("GET / HTTP/1.1\r\nhost:").await);
    assert_eq!((rest_of(silent).await.as_str(), rest_of(half).await.as_str()), ("", ""));
}

#[tokio::test]
async fn a_head_has_an_end() {
    let server = Server::start(10, LONG).await;
    let head = |length: usize| {
        format!(
            "GET /?{} HTTP/1.1\r\nhost: x\r\ncookie: {}\r\nconnection: close\r\n\r\n",
            "q".repeat(4096),
            "c".repeat(length)
        )
    };
    assert!(rest_of(server.connect(&head(8 * 1024)).await).await.ends_with("ready"));
    let endless = "GET / HTTP/1.1\r\ncookie: ".to_owned() + &"c".repeat(MAX_HEAD_BYTES);
    assert!(!rest_of(server.connect(&endless).await).await.contains(" 200 "), "it is not waited for");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_keeps_nobody_out() {
    let files = Files::new();
    let server = Server::start_with(Some(Arc::new(files.port())), 10, LONG).await;
    let mut held = Vec::new();
    for sent in ["", "\x16\x03\x01"].repeat(15) {
        held.push(server.connect(sent).await);
    }
    let mut connection = files.connect(server.address).await.unwrap();
    connection.write_all(READY.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("ready"), "{answer}");
    assert_eq!(rest_of(held.remove(0)).await, "", "the oldest is closed");
    server.stop.cancel();
    server.task.await.unwrap();
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_not_waited_for() {
    let server = Server::start_with(Some(Arc::new(Files::new().port())), 10, Duration::from_millis(50)).await;
    let (silent, half) = (server.connect("").await, server.connect("\x16\x03\x01").await);
    assert_eq!((rest_of(silent).await.as_str(), rest_of(half).await.as_str()), ("", ""));
}

#[tokio::test]
async fn the_end_waits_for_answers_and_for_nothing_else() {
    let server = Server::start(100, LONG).await;
    let waiting = server.connect(SLOW).await;
    let mut held = Vec::new();
    for sent in ["", "GET / HTT", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
        held.push(server.connect(sent).await);
    }
    assert!(rest_of(server.connect(READY).await).await.ends_with("ready"), "by now it knows all of them");
    server.stop.cancel();
    for connection in held {
        rest_of(connection).await;
    }
    assert!(!server.task.is_finished());
    server.release.notify_waiters();
    assert!(rest_of(waiting).await.starts_with("HTTP/1.1 200"));
    server.task.await.unwrap();
}
