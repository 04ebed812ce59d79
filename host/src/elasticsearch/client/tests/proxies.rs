//! Requests through a forward proxy: as they are to a node without TLS, in a tunnel to one with TLS.

use std::io::Write;

use rcgen::{CertificateParams, KeyPair};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::tls::acceptor;
use super::*;

fn proxy_at(node: &Node) -> Proxy {
    Proxy { host: node.host.clone(), port: node.port, tls: false, user: None }
}

/// A node that no name server knows: whoever looks for it without the proxy fails.
fn behind_the_proxy() -> Node {
    Node { host: Host::parse("es.invalid").unwrap(), port: 9200 }
}

fn client_through(proxy: Proxy, connection: Connection) -> Client {
    Client::new(Connection { proxy: Some(proxy), ..connection }, limits()).unwrap()
}

/// A server with TLS, and what its clients trust.
async fn tls_server(name: &str) -> (Server, Tls, NamedTempFile) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(certificate.pem().as_bytes()).unwrap();
    let server = Server::start_with(http_answer("200 OK", "{}"), Some(acceptor(&certificate, &key))).await;
    let tls = Tls { certificate: Some(file.path().to_owned()), ..Tls::default() };
    (server, tls, file)
}

/// A proxy that makes a tunnel to this node, whichever it is asked for, and tells what it was asked.
async fn tunnel_to(node: Node) -> (Proxy, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = Node { host: Host::parse("127.0.0.1").unwrap(), port: listener.local_addr().unwrap().port() };
    let (sender, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut caller, _) = listener.accept().await.unwrap();
            let (sender, node) = (sender.clone(), node.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(caller.read_u8().await.unwrap());
                }
                sender.send(String::from_utf8(head).unwrap()).unwrap();
                caller.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let mut server = TcpStream::connect(node.to_string()).await.unwrap();
                // An error is the end of the tunnel.
                let _ = copy_bidirectional(&mut caller, &mut server).await;
            });
        }
    });
    (proxy_at(&at), requests)
}

async fn error_of(client: &Client) -> TransportError {
    client.send(&get_nodes(), LONG).await.unwrap_err()
}

fn assert_unreachable(error: &TransportError, proxy: &Proxy, text: &str) {
    let expected = format!("es.invalid:9200 (through the proxy {proxy}): the proxy {text}");
    assert!(matches!(error, TransportError::Unreachable(told) if told.starts_with(&expected)), "{error:?}");
}

#[tokio::test]
async fn a_request_to_a_node_without_tls_names_the_node() {
    let mut server = Server::start(http_answer("200 OK", "{}")).await;
    let connection = Connection { path_prefix: "/search".to_owned(), ..connection(vec![behind_the_proxy()]) };
    let client = client_through(proxy_at(&server.node), connection);
    assert_eq!(client.send(&get_nodes(), LONG).await.unwrap().status, 200);
    let request = server.request().await;
    assert!(request.starts_with("GET http://es.invalid:9200/search/_nodes HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("host: es.invalid:9200\r\n"), "{request}");
    assert!(!request.contains("proxy-authorization"), "{request}");
}

#[tokio::test]
async fn a_request_to_a_node_with_tls_goes_through_a_tunnel() {
    let (mut server, tls, _file) = tls_server("es.invalid").await;
    let (proxy, mut asked) = tunnel_to(server.node.clone()).await;
    let user = (Username::parse("me").unwrap(), Secret::new("s3cret"));
    let authentication = Authentication::Basic { username: Username::parse("es").unwrap(), password: Secret::new("p") };
    let connection = Connection { tls: Some(tls), authentication, ..connection(vec![behind_the_proxy()]) };
    let client = client_through(Proxy { user: Some(user), ..proxy }, connection);
    assert_eq!(client.send(&get_nodes(), LONG).await.unwrap().status, 200);
    let head = asked.recv().await.unwrap();
    assert!(head.starts_with("CONNECT es.invalid:9200 HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic bwu6cznjcmv0\r\n"), "{head}");
    let request = server.request().await;
    assert!(request.starts_with("GET /_nodes HTTP/1.1\r\n"), "{request}");
    assert!(!request.contains("proxy-authorization"), "{request}");
    assert!(request.contains("authorization: Basic ZXM6cA==\r\n"), "{request}");
}

#[tokio::test]
async fn the_certificate_in_the_tunnel_is_the_nodes() {
    let (server, tls, _file) = tls_server("other.invalid").await;
    let (proxy, _asked) = tunnel_to(server.node.clone()).await;
    let client = client_through(proxy, Connection { tls: Some(tls), ..connection(vec![behind_the_proxy()]) });
    let error = error_of(&client).await.to_string();
    assert!(error.contains("its certificate is for another host"), "{error}");
}

#[tokio::test]
async fn a_proxy_can_speak_tls_itself() {
    let (mut server, tls, _file) = tls_server("127.0.0.1").await;
    let proxy = Proxy { tls: true, ..proxy_at(&server.node) };
    // As in Optimize the proxy has to be trusted like a node, where nodes speak TLS. The server here is none, so that the
    // tunnel gets no further than its first request.
    let client = client_through(proxy, Connection { tls: Some(tls), ..connection(vec![behind_the_proxy()]) });
    let error = error_of(&client).await;
    assert!(server.request().await.starts_with("CONNECT es.invalid:9200 HTTP/1.1\r\n"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let proxy = Proxy { host: Host::parse("127.0.0.1").unwrap(), port: free, tls: false, user: None };
    for tls in [None, Some(Tls::default())] {
        let client = client_through(proxy.clone(), Connection { tls, ..connection(vec![behind_the_proxy()]) });
        assert_unreachable(&error_of(&client).await, &proxy, "cannot be reached: connection refused");
    }
}

#[tokio::test]
async fn a_proxy_that_makes_no_tunnel_is_named() {
    let server = Server::start(http_answer("403 Forbidden", "no")).await;
    let proxy = proxy_at(&server.node);
    let connection = Connection { tls: Some(Tls::default()), ..connection(vec![behind_the_proxy()]) };
    let error = error_of(&client_through(proxy.clone(), connection)).await;
    assert_unreachable(&error, &proxy, "makes no connection to it: ");
}

#[tokio::test]
async fn a_proxy_that_asks_for_a_user_is_named() {
    let server = Server::start(http_answer("407 Proxy Authentication Required", "no")).await;
    let proxy = proxy_at(&server.node);
    for tls in [None, Some(Tls::default())] {
        let client = client_through(proxy.clone(), Connection { tls, ..connection(vec![behind_the_proxy()]) });
        assert_unreachable(&error_of(&client).await, &proxy, "asks for a user");
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_is_named() {
    let server = Server::start(Answer::Silence).await;
    let proxy = proxy_at(&server.node);
    let limits = Limits { connect_timeout: Duration::from_millis(200), ..limits() };
    let with_tls =
        Connection { tls: Some(Tls::default()), proxy: Some(proxy.clone()), ..connection(vec![behind_the_proxy()]) };
    let error = error_of(&Client::new(with_tls, limits).unwrap()).await;
    assert_unreachable(&error, &proxy, "cannot be reached: no connection within the connect timeout");
    // Without a tunnel nobody can tell who hangs.
    let client = client_through(proxy.clone(), connection(vec![behind_the_proxy()]));
    let error = client.send(&get_nodes(), Duration::from_millis(200)).await.unwrap_err();
    let expected = format!("es.invalid:9200 (through the proxy {proxy}) sent no complete answer");
    assert!(matches!(&error, TransportError::Interrupted(text) if text.starts_with(&expected)), "{error:?}");
}

#[tokio::test]
async fn every_node_is_asked_through_the_proxy() {
    let server = Server::start(http_answer("407 Proxy Authentication Required", "no")).await;
    let nodes = vec![behind_the_proxy(), Node { port: 9201, ..behind_the_proxy() }];
    let error = error_of(&client_through(proxy_at(&server.node), connection(nodes))).await.to_string();
    assert!(error.contains("es.invalid:9200 (") && error.contains("es.invalid:9201 ("), "{error}");
}
