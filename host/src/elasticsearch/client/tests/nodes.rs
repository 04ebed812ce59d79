use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use super::*;

/// A port that nobody else gets and that refuses connections: bound, but not listening.
fn refusing() -> (TcpSocket, Node) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, Node { host: Host::parse("127.0.0.1").unwrap(), port })
}

async fn unreachable(nodes: Vec<Node>) -> String {
    let error = Client::new(connection(nodes), limits()).unwrap().send(&get_nodes(), LONG).await.unwrap_err();
    let TransportError::Unreachable(text) = error else { panic!("{error:?}") };
    text
}

#[tokio::test]
async fn the_next_node_is_asked_if_one_refuses() {
    let (_refusing, down) = refusing();
    let mut up = Server::start(http_answer("200 OK", "{}")).await;
    let client = Client::new(connection(vec![down, up.node.clone()]), limits()).unwrap();
    for _ in 0..3 {
        client.send(&get_nodes(), LONG).await.unwrap();
        up.request().await;
    }
}

#[tokio::test]
async fn no_node_is_asked_twice_for_a_request_that_was_sent() {
    let mut breaking = Server::start(Answer::bytes("")).await;
    let mut working = Server::start(http_answer("200 OK", "{}")).await;
    let client = Client::new(connection(vec![breaking.node.clone(), working.node.clone()]), limits()).unwrap();

    let error = client.send(&get_nodes(), LONG).await.unwrap_err();
    assert!(matches!(error, TransportError::Interrupted(_)), "{error:?}");
    breaking.request().await;
    assert!(working.is_untouched());

    // The node is not trusted with the next request.
    client.send(&get_nodes(), LONG).await.unwrap();
    working.request().await;
    assert!(breaking.is_untouched());
}

#[tokio::test]
async fn all_nodes_that_refuse_are_named() {
    let ((_first, first), (_second, second)) = (refusing(), refusing());
    let text = unreachable(vec![first.clone(), second.clone()]).await;
    let refused = "connection refused: is the search engine running, and is this its HTTP port?";
    assert_eq!(text, format!("{first}: {refused}; {second}: {refused}"));
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    // Longer than a name can be: no resolver is asked, in whatever network the test runs.
    let node = Node { host: Host::parse(&"a".repeat(64)).unwrap(), port: 9200 };
    let text = unreachable(vec![node.clone()]).await;
    assert!(text.starts_with(&format!("{node}: the host name cannot be resolved: ")), "{text}");
}

#[tokio::test]
async fn a_node_that_does_not_complete_the_connection_is_left_after_the_connect_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = Node { host: Host::parse("127.0.0.1").unwrap(), port: silent.local_addr().unwrap().port() };
    let connection = Connection { tls: Some(Tls::default()), ..connection(vec![node.clone()]) };
    let limits = Limits { connect_timeout: Duration::from_millis(50), ..limits() };
    let error = Client::new(connection, limits).unwrap().send(&get_nodes(), LONG).await.unwrap_err();
    assert_eq!(error, TransportError::Unreachable(format!("{node}: no connection within the connect timeout")));
}

#[tokio::test]
async fn without_time_nothing_is_sent() {
    let server = Server::start(http_answer("200 OK", "{}")).await;
    let error = client(&server).send(&get_nodes(), Duration::ZERO).await.unwrap_err();
    assert_eq!(error, TransportError::Unreachable("no time was left".to_owned()));
    assert!(server.is_untouched());
}
