//! Requests, one connection each, while tokens and certificates are renewed.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::http::connections::{ConnectionLimits, serve};
use crate::http::tls::tests::{Files, of_name};

const REQUESTS: usize = 1_000;
const RENEWALS: usize = 20;
const CALLERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_with_the_right_token_fails_while_everything_is_renewed() {
    let (fixture, files) = (Fixture::new(), Arc::new(Files::new()));
    let tls = Arc::new(files.port());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = ConnectionLimits { max_connections: 100, idle_timeout: Duration::from_secs(60) };
    tokio::spawn(serve(listener, Some(Arc::clone(&tls)), fixture.routes.clone(), limits, CancellationToken::new()));

    let (token, done) = (Arc::new(ArcSwap::from_pointee(TOKEN.to_owned())), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (files, token, done) = (Arc::clone(&files), Arc::clone(&token), Arc::clone(&done));
            tokio::spawn(async move {
                for _ in 0..REQUESTS / CALLERS {
                    let token = token.load_full();
                    let mut connection = files.connect(address).await.unwrap();
                    let request = format!("GET /actuator/backups HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n");
                    connection.write_all(request.as_bytes()).await.unwrap();
                    let mut answer = String::new();
                    connection.read_to_string(&mut answer).await.unwrap();
                    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();

    for renewal in 1..=RENEWALS {
        while done.load(Ordering::Relaxed) < renewal * REQUESTS / (RENEWALS + 1) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let next = format!("{TOKEN}-{renewal}");
        fs::write(fixture.folder.path().join("token"), &next).unwrap();
        files.renew(of_name("the port"));
        for _ in 0..2 {
            fixture.callers.look();
            tls.look();
        }
        // Until now the callers have sent the token before.
        token.store(Arc::new(next));
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(done.load(Ordering::Relaxed), REQUESTS);
}
