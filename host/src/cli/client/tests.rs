use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode as Status};
use axum::response::IntoResponse;
use reqwest::header::AUTHORIZATION;
use tempfile::tempdir;
use tokio::net::TcpListener;

use super::options::ServerOptions;
use super::*;
use crate::cli::exit::ExitStatus::{self, *};

mod tls;

const PAGE: &str = "<html>\n<title>Something else</title>\n</html>";

fn id() -> BackupId {
    BackupId::new(7).unwrap()
}

fn client(url: String, token_file: Option<PathBuf>) -> Client {
    Client::Remote(RemoteServer::new(ServerOptions { token_file, ..ServerOptions::at(url) }).unwrap())
}

/// Serves, and says where.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

/// A client of something that answers every request in this way.
async fn client_of(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Client {
    client(serve(Router::new().fallback(async move || answer.clone())).await, None)
}

fn error_body(code: &str) -> String {
    format!("{{\"errorCode\":\"{code}\",\"errorMessage\":\"what and why\",\"detailedMessage\":\"its own\\nwords\"}}")
}

/// One line in words.
fn assert_told(error: &ClientError, status: ExitStatus, words: &str) {
    let message = error.to_string();
    assert_eq!(error.exit_status(), status, "{message}");
    assert!(message.contains(words) && !message.contains(['\n', '{', '<']), "{message}");
}

#[tokio::test]
async fn an_error_of_the_server_is_told_in_its_words() {
    for (status, code, exit, can_pass) in [
        (400, "invalidBackupId", WrongUsage, false),
        (400, "invalidParameter", WrongUsage, false),
        (400, "repositoryMissing", Refused, false),
        (401, "unauthorized", Unauthorized, false),
        (403, "operationNotEnabled", Unauthorized, false),
        (404, "backupNotFound", NotFound, false),
        (404, "unknownPath", Refused, false),
        (409, "backupAlreadyExists", Conflict, false),
        (500, "engineAccessDenied", Refused, true),
        (500, "engineBusy", Unreachable, true),
        (502, "engineUnreachable", Unreachable, true),
        (503, "serverBusy", Unreachable, true),
    ] {
        let client = client_of((Status::from_u16(status).unwrap(), error_body(code))).await;
        let error = client.get(id()).await.unwrap_err();
        assert_told(&error, exit, "what and why (its own words)");
        assert_told(&error, exit, &format!("[{code}]"));
        assert_eq!(error.can_pass(), can_pass, "{code}");
    }
}

#[tokio::test]
async fn an_answer_of_something_else_is_told_without_its_page() {
    for (status, exit, words) in [
        (200, Unreachable, "answered 200 OK, but not as optimize-backup does (text/html): check --url"),
        (302, Unreachable, "a redirection to /login: check --url"),
        (401, Unauthorized, "see --token-file"),
        (403, Unauthorized, "see --token-file"),
        (404, Unreachable, "check --url"),
        (502, Unreachable, "such as a proxy"),
        (503, Unreachable, "such as a proxy"),
    ] {
        let headers = [("content-type", "text/html"), ("location", "/login")];
        let client = client_of((Status::from_u16(status).unwrap(), headers, PAGE)).await;
        assert_told(&client.get(id()).await.unwrap_err(), exit, words);
        assert_told(&client.list(&Selection::default()).await.unwrap_err(), exit, words);
        assert_told(&client.create(id()).await.unwrap_err(), exit, words);
        assert_told(&client.delete(id()).await.unwrap_err(), exit, words);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = client(url, None);
    let cut_off = tokio::join!(client.create(id()), async { drop(listener.accept().await) }).0.unwrap_err();
    assert_told(&cut_off, Unreachable, "sent no answer");
    assert!(cut_off.may_have_acted() && cut_off.can_pass());

    drop(listener);
    let refused = client.create(id()).await.unwrap_err();
    assert_told(&refused, Unreachable, "connection refused: check that the server runs");
    assert!(!refused.may_have_acted() && refused.can_pass() && refused.was_not_sent());
}

/// The last request's `Authorization`.
type Seen = Arc<Mutex<Option<String>>>;

async fn record(State(seen): State<Seen>, headers: HeaderMap) -> &'static str {
    *seen.lock().unwrap() = headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    "[]"
}

#[tokio::test]
async fn the_token_is_read_again_for_each_request() {
    let (folder, seen) = (tempdir().unwrap(), Seen::default());
    let file = folder.path().join("token");
    let url = serve(Router::new().fallback(record).with_state(Arc::clone(&seen))).await;
    let client = client(url, Some(file.clone()));
    for token in ["first", "second"] {
        fs::write(&file, format!("{token}\n")).unwrap();
        client.list(&Selection::default()).await.unwrap();
        assert_eq!(seen.lock().unwrap().take(), Some(format!("Bearer {token}")));
    }
    for (content, words) in
        [(Some("two words"), "holds no token"), (Some(""), "holds no token"), (None, "cannot be read")]
    {
        match content {
            Some(content) => fs::write(&file, content).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        assert_told(&client.list(&Selection::default()).await.unwrap_err(), WrongUsage, words);
    }
    assert_eq!(seen.lock().unwrap().take(), None, "nothing was sent");
}

#[tokio::test]
async fn a_success_of_another_service_is_none() {
    for answer in ["{}", "{\"status\":\"ok\"}", "[{\"id\":7}]", "null"] {
        let client = client_of(([("content-type", "application/json")], answer)).await;
        let words = "not as optimize-backup does (application/json): check --url";
        assert_told(&client.get(id()).await.unwrap_err(), Unreachable, words);
        assert_told(&client.list(&Selection::default()).await.unwrap_err(), Unreachable, words);
        assert_told(&client.create(id()).await.unwrap_err(), Unreachable, words);
        assert_told(&client.delete(id()).await.unwrap_err(), Unreachable, words);
    }
}

#[test]
fn a_file_without_authorities_is_told() {
    let folder = tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let options =
        || ServerOptions { ca_file: Some(ca_file.clone()), ..ServerOptions::at("https://localhost".to_owned()) };
    let missing = RemoteServer::new(options()).err().unwrap().to_string();
    assert!(missing.starts_with("--ca-file: ") && missing.contains("cannot be read"), "{missing}");
    fs::write(&ca_file, "not a certificate").unwrap();
    let empty = RemoteServer::new(options()).err().unwrap().to_string();
    assert!(empty.contains("no PEM certificate"), "{empty}");
}
