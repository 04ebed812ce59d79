//! Commands against a server that answers as a real one seldom does.

mod verify;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::*;

/// Ends with its runtime.
struct Server {
    url: String,
    _runtime: Runtime,
}

impl Server {
    /// `answer` gets a request, such as `GET /actuator/health`, and how often it has come before.
    fn start(answer: fn(&str, usize) -> (u16, &'static str)) -> Self {
        let counts: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
        let handler = async move |method: Method, uri: Uri| {
            let request = format!("{method} {}", uri.path());
            let earlier = *counts.lock().unwrap().entry(request.clone()).and_modify(|count| *count += 1).or_default();
            let (status, body) = answer(&request, earlier);
            (StatusCode::from_u16(status).unwrap(), body)
        };
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async { axum::serve(listener, Router::new().fallback(handler)).await });
        Self { url, _runtime: runtime }
    }

    /// How a command about backups ends here, and what it says to that.
    fn run(&self, arguments: &[&str]) -> (ExitStatus, String) {
        let arguments = [&[NAME, "backup", "--url", &self.url], arguments].concat();
        match Cli::try_parse_from(arguments).unwrap().command.run() {
            Ok(status) => (status, String::new()),
            Err(error) => (error.exit_status(), error.to_string()),
        }
    }
}

const PAGE: (u16, &str) = (503, "<html>Service Unavailable</html>");
const ACCEPTED: (u16, &str) = (202, r#"{"message":"Backup creation has been scheduled"}"#);
const NOT_FOUND: (u16, &str) =
    (404, r#"{"errorCode":"backupNotFound","errorMessage":"no backup with ID 7","detailedMessage":null}"#);
const IN_PROGRESS: (u16, &str) = (200, r#"{"backupId":7,"failureReason":null,"state":"IN_PROGRESS","details":[]}"#);
const COMPLETED: (u16, &str) = (200, r#"{"backupId":7,"failureReason":null,"state":"COMPLETED","details":[]}"#);
const DELETION_FAILED: (u16, &str) = (
    503,
    r#"{"status":"DOWN","components":{"deletions":{"status":"UP","details":{"pending":[],"failed":{"7":"no room left"}}}}}"#,
);
const NOTHING_FAILED: (u16, &str) = (200, r#"{"status":"UP","components":{}}"#);

#[test]
fn a_page_of_a_proxy_does_not_end_the_waiting() {
    let server = Server::start(|request, earlier| match (request, earlier) {
        ("POST /actuator/backups", 0) => ACCEPTED,
        ("GET /actuator/backups/7", 0) => PAGE,
        ("GET /actuator/backups/7", 1) => COMPLETED,
        _ => unreachable!("{request}"),
    });
    assert_eq!(server.run(&["create", "7", "--wait"]), (ExitStatus::Done, String::new()));
}

#[test]
fn a_post_without_an_answer_may_have_begun_a_backup() {
    let server = Server::start(|request, earlier| match (request, earlier) {
        ("POST /actuator/backups", _) => PAGE,
        ("GET /actuator/backups/7", 0) => NOT_FOUND,
        ("GET /actuator/backups/7", 1) => IN_PROGRESS,
        _ => COMPLETED,
    });
    let (status, message) = server.run(&["create", "7"]);
    assert_eq!(status, ExitStatus::Unreachable);
    assert!(message.contains("may have been started all the same: `optimize-backup backup get 7` tells"), "{message}");
    assert_eq!(server.run(&["create", "7", "--wait"]).0, ExitStatus::Done);
}

#[test]
fn a_backup_that_somebody_deletes_meanwhile_is_gone() {
    let server = Server::start(|request, earlier| match (request, earlier) {
        ("POST /actuator/backups", _) => ACCEPTED,
        ("GET /actuator/backups/7", 0) => IN_PROGRESS,
        _ => NOT_FOUND,
    });
    let (status, message) = server.run(&["create", "7", "--wait"]);
    assert!(status == ExitStatus::NotFound && message.contains("backup 7 is gone"), "{message}");
}

#[test]
fn a_deletion_that_fails_is_told() {
    let server = Server::start(|request, earlier| match (request, earlier) {
        ("GET /actuator/backups/7", _) => COMPLETED,
        ("DELETE /actuator/backups/7", _) => (204, ""),
        ("GET /actuator/health", 0) => NOTHING_FAILED,
        _ => DELETION_FAILED,
    });
    let (status, message) = server.run(&["delete", "7", "--yes", "--wait"]);
    assert_eq!(status, ExitStatus::EndedBadly);
    assert!(message.contains("did not delete backup 7: no room left"), "{message}");
}

/// Health shows for a day that an earlier deletion of that ID failed.
#[test]
fn a_failure_of_an_earlier_deletion_is_not_this_ones() {
    let server = Server::start(|request, earlier| match (request, earlier) {
        ("GET /actuator/backups/7", 0 | 1) => COMPLETED,
        ("GET /actuator/backups/7", _) => NOT_FOUND,
        ("DELETE /actuator/backups/7", _) => (204, ""),
        _ => DELETION_FAILED,
    });
    assert_eq!(server.run(&["delete", "7", "--yes", "--wait"]), (ExitStatus::Done, String::new()));
}

/// With several servers a failure in the same words can be that of another one. That one is not asked each time.
#[test]
fn a_failure_in_the_words_of_an_earlier_one_is_told_when_it_stays() {
    let server = Server::start(|request, _| match request {
        "GET /actuator/backups/7" => COMPLETED,
        "DELETE /actuator/backups/7" => (204, ""),
        _ => DELETION_FAILED,
    });
    let (status, message) = server.run(&["delete", "7", "--yes", "--wait"]);
    assert_eq!(status, ExitStatus::EndedBadly);
    assert!(message.contains("did not delete backup 7: no room left"), "{message}");
}

/// The list does not show the snapshots any more, but the search engine still removes their files.
#[test]
fn a_deletion_has_ended_when_the_server_says_so() {
    let server = Server::start(|request, earlier| match (request, earlier) {
        ("GET /actuator/backups/7", 0) => COMPLETED,
        ("GET /actuator/backups/7", _) => NOT_FOUND,
        ("DELETE /actuator/backups/7", _) => (204, ""),
        ("GET /actuator/health", 1) => {
            (200, r#"{"status":"UP","components":{"deletions":{"details":{"pending":["7"],"failed":{}}}}}"#)
        }
        ("GET /actuator/health", 0 | 2) => NOTHING_FAILED,
        _ => unreachable!("{request}"),
    });
    assert_eq!(server.run(&["delete", "7", "--yes", "--wait"]), (ExitStatus::Done, String::new()));
}

fn usage_error(arguments: &[&str]) -> Option<String> {
    let error = Cli::try_parse_from([&[NAME, "backup"], arguments].concat()).err()?;
    assert_eq!(error.exit_code(), 2);
    Some(error.to_string())
}

#[test]
fn this_process_and_a_server_exclude_each_other_wherever_the_options_stand() {
    for arguments in [
        &["--local", "--url", "http://localhost", "list"][..],
        &["list", "--url", "http://localhost", "--local"],
        &["--url", "http://localhost", "get", "7", "--local"],
        &["--local", "get", "7", "--token-file", "token"],
        &["create", "--ca-file", "ca.pem", "--local"],
    ] {
        let message = usage_error(arguments).unwrap();
        assert!(message.contains("is for a server, --local for this process"), "{arguments:?}: {message}");
    }
    let message = usage_error(&["list", "--config", "config.yaml"]).unwrap();
    assert!(message.contains("it needs --local"), "{message}");
    assert_eq!(usage_error(&["--local", "list", "--config", "config.yaml"]), None);
    assert!(usage_error(&["create", "--resume", "--local"]).unwrap().contains("ID"));
}

#[test]
fn what_only_one_of_them_does_is_told() {
    let server = Server::start(|request, _| unreachable!("{request}"));
    for (arguments, words) in [
        (&["create", "7", "--resume"][..], "--resume needs --local"),
        (&["create", "7", "--timeout", "1h"], "it needs --wait, or --local"),
        (&["delete", "7", "--yes", "--timeout", "1h"], "it needs --wait, or --local"),
    ] {
        let (status, message) = server.run(arguments);
        assert!(status == ExitStatus::WrongUsage && message.contains(words), "{arguments:?}: {message}");
    }
}

#[test]
fn the_command_line_is_sound() {
    <Cli as clap::CommandFactory>::command().debug_assert();
}
