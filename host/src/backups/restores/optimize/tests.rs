use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Something that answers once.
async fn answering(status: &'static str) -> OptimizeUrl {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = OptimizeUrl(format!("http://{}/", listener.local_addr().unwrap()));
    tokio::spawn(async move {
        let (mut caller, _) = listener.accept().await.unwrap();
        let _ = caller.read(&mut [0; 4096]).await;
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        caller.write_all(answer.as_bytes()).await.unwrap();
    });
    url
}

#[tokio::test]
async fn whatever_optimize_answers_it_runs() {
    for status in ["200 OK", "302 Found", "401 Unauthorized", "404 Not Found", "500 Internal Server Error"] {
        let finding = answering(status).await.finding(&[]).await.unwrap();
        assert!(finding.stops() && finding.message.contains(&status[..3]), "{}", finding.message);
    }
    let overridden = answering("200 OK").await.finding(&["optimizeIsRunning".to_owned()]).await.unwrap();
    assert!(!overridden.stops());
}

#[tokio::test]
async fn where_nobody_answers_it_does_not() {
    assert!(answering("503 Service Unavailable").await.finding(&[]).await.is_none());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = OptimizeUrl(format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    assert!(url.finding(&[]).await.is_none());
}

/// It is told, and does not stop the restore.
async fn expect_unknown(url: String, reason: &str) {
    let finding = OptimizeUrl(url).finding(&[]).await.unwrap();
    assert_eq!((finding.code.as_str(), finding.stops()), ("notChecked", false));
    assert!(finding.message.contains(reason), "{}", finding.message);
}

#[tokio::test]
async fn what_could_not_be_asked_is_told_with_the_reason() {
    expect_unknown("http://no-such-host.invalid:8090/".to_owned(), "cannot be resolved").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut caller, _) = listener.accept().await.unwrap();
            let _ = caller.write_all(b"this is no TLS\r\n\r\n").await;
        }
    });
    expect_unknown(format!("https://{address}/"), "TLS").await;
}

#[tokio::test]
async fn one_that_does_not_answer_in_time_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    expect_unknown(url, "no answer within 5 seconds").await;
}
