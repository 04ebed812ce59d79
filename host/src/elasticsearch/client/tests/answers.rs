use std::sync::Arc;

use tokio::sync::Notify;

use super::*;

const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn every_status_is_an_answer() {
    for (answer, status, body) in [
        (http_answer("200 OK", r#"{"a":"ä"}"#), 200, r#"{"a":"ä"}"#),
        (http_answer("404 Not Found", "{}"), 404, "{}"),
        (http_answer("500 Internal Server Error", ""), 500, ""),
        (http_answer("502 Bad Gateway", "<html>"), 502, "<html>"),
        (Answer::bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), 200, "{}"),
        (Answer::bytes("HTTP/1.0 200 OK\r\n\r\n{}"), 200, "{}"),
    ] {
        let server = Server::start(answer).await;
        let response = client(&server).send(&get_nodes(), LONG).await.unwrap();
        assert_eq!((response.status, response.body.as_str()), (status, body));
    }
}

#[tokio::test]
async fn a_wait_that_the_engine_asks_for_is_told() {
    let busy = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    let server = Server::start(Answer::bytes(busy)).await;
    let response = client(&server).send(&get_nodes(), LONG).await.unwrap();
    assert_eq!(response.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(http_answer("200 OK", "{}")).await;
    let redirect = format!("HTTP/1.1 307 Moved\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n", elsewhere.node);
    let server = Server::start(Answer::bytes(redirect)).await;
    let response = client(&server).send(&get_nodes(), LONG).await.unwrap();
    assert_eq!(response.status, 307);
    assert!(elsewhere.is_untouched());
}

#[tokio::test]
async fn an_answer_cut_short_is_interrupted() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"accepted\":",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "This is not an HTTP port",
        "\x15\x03\x03\x00\x02\x02\x0a",
    ] {
        let server = Server::start(Answer::bytes(answer)).await;
        let error = client(&server).send(&get_nodes(), LONG).await.unwrap_err();
        let TransportError::Interrupted(text) = error else { panic!("{answer:?}: {error:?}") };
        assert!(text.starts_with(&format!("{} ", server.node)), "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_never_ends_is_interrupted() {
    for answer in [Answer::Silence, Answer::Drip] {
        let mut server = Server::start(answer).await;
        let error = client(&server).send(&get_nodes(), SHORT).await.unwrap_err();
        let expected = format!("{} sent no complete answer within 100ms", server.node);
        assert_eq!(error, TransportError::Interrupted(expected));
        server.request().await;
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_unreadable() {
    let body = |length: usize| "a".repeat(length);
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n", body(1001));
    let huge = "HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n".to_owned() + &body(1001);
    for answer in [http_answer("200 OK", &body(1001)), Answer::bytes(chunked), Answer::bytes(huge)] {
        let server = Server::start(answer).await;
        let error = client(&server).send(&get_nodes(), LONG).await.unwrap_err();
        let expected = format!("{} sent more than the limit of 1000 bytes (backup.maxResponseBytes)", server.node);
        assert_eq!(error, TransportError::Unreadable(expected));
    }
    let server = Server::start(http_answer("200 OK", &body(1000))).await;
    assert_eq!(client(&server).send(&get_nodes(), LONG).await.unwrap().body.len(), 1000);
}

#[tokio::test]
async fn an_answer_that_is_no_text_is_unreadable() {
    let server = Server::start(Answer::bytes(*b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe")).await;
    let error = client(&server).send(&get_nodes(), LONG).await.unwrap_err();
    assert!(matches!(error, TransportError::Unreadable(_)), "{error:?}");
}

#[tokio::test]
async fn a_submitted_request_outlasts_the_request_timeout() {
    let gate = Arc::new(Notify::new());
    let server = Server::start(Answer::Bytes(b"HTTP/1.1 200 OK\r\n\r\n{}".to_vec(), Some(gate.clone()))).await;
    let limits = Limits { request_timeout: SHORT, ..limits() };
    let client = Client::new(connection(vec![server.node.clone()]), limits).unwrap();
    let request = get_nodes();

    let sent_and_given_up = async {
        let error = client.send(&request, LONG).await.unwrap_err();
        assert!(matches!(error, TransportError::Interrupted(_)), "{error:?}");
        gate.notify_waiters();
    };
    let (submitted, ()) = tokio::join!(client.submit(&request, LONG), sent_and_given_up);
    assert_eq!(submitted.unwrap().status, 200);
}
