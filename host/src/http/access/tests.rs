use std::fs;
use std::path::Path;
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use tempfile::{TempDir, tempdir};

use super::callers::Missing;
use super::*;
use crate::http::connections::Peer;
use crate::settings::Caller;

/// Every route, with the methods that it has and the role that each needs; also those that are to come.
const TABLE: &[(&str, &str, Option<Role>)] = &[
    ("GET", "/actuator", Some(Role::Reader)),
    ("GET", "/actuator/backups", Some(Role::Reader)),
    ("POST", "/actuator/backups", Some(Role::Operator)),
    ("GET", "/actuator/backups/{backupId}", Some(Role::Reader)),
    ("DELETE", "/actuator/backups/{backupId}", Some(Role::Operator)),
    ("GET", "/actuator/backups/{backupId}/progress", Some(Role::Reader)),
    ("GET", "/actuator/backups/{backupId}/restore", Some(Role::Reader)),
    ("POST", "/actuator/backups/{backupId}/restore", Some(Role::Admin)),
    ("GET", "/actuator/backups/{backupId}/verify", Some(Role::Reader)),
    ("POST", "/actuator/backups/{backupId}/verify", Some(Role::Operator)),
    ("GET", "/actuator/health", Some(Role::Reader)),
    ("GET", "/actuator/health/liveness", None),
    ("HEAD", "/actuator/health/liveness", None),
    ("GET", "/actuator/health/readiness", None),
    ("POST", "/actuator/health/readiness", Some(Role::Admin)),
    ("GET", "/actuator/info", Some(Role::Reader)),
    ("GET", "/actuator/loggers", Some(Role::Reader)),
    ("GET", "/actuator/loggers/{name}", Some(Role::Reader)),
    ("POST", "/actuator/loggers/{name}", Some(Role::Admin)),
    ("GET", "/actuator/openapi.json", Some(Role::Reader)),
    ("GET", "/actuator/policy", Some(Role::Reader)),
    ("PUT", "/actuator/policy", Some(Role::Admin)),
    ("POST", "/actuator/policy/rollback", Some(Role::Admin)),
    ("PUT", "/actuator/policy/shadow", Some(Role::Admin)),
    ("DELETE", "/actuator/policy/shadow", Some(Role::Admin)),
    ("GET", "/actuator/prometheus", Some(Role::Reader)),
    ("POST", "/actuator/retention", Some(Role::Admin)),
    ("GET", "/actuator/schedule", Some(Role::Reader)),
    ("GET", "/nowhere", Some(Role::Reader)),
    ("HEAD", "/actuator/backups", Some(Role::Reader)),
    ("PATCH", "/actuator/backups", Some(Role::Admin)),
    ("DELETE", "/actuator/backups", Some(Role::Admin)),
];

/// What nobody may do where nobody has a token.
const NOT_ENABLED: &[(&str, &str)] = &[
    ("POST", "/actuator/backups/{backupId}/restore"),
    ("PUT", "/actuator/policy"),
    ("POST", "/actuator/policy/rollback"),
    ("PUT", "/actuator/policy/shadow"),
    ("DELETE", "/actuator/policy/shadow"),
    ("POST", "/actuator/retention"),
];

fn identity(known_by: KnownBy) -> Identity {
    Identity { name: "somebody".to_owned(), known_by }
}

#[test]
fn every_route_asks_for_its_role_and_gets_by_with_no_less() {
    for &(name, route, role) in TABLE {
        let method = Method::from_bytes(name.as_bytes()).unwrap();
        assert_eq!(required_role(&method, route), role, "{name} {route}");
        for has in Role::ALL {
            let outcome = authorize(&identity(KnownBy::Token(has)), &method, route);
            let expected = match role {
                Some(needed) if has < needed => {
                    Err(AccessError::Forbidden { needed, caller: "somebody".to_owned(), role: has })
                }
                _ => Ok(()),
            };
            assert_eq!(outcome, expected, "{name} {route} as {has}");
        }
        for missing in [Missing::AnyToken, Missing::KnownToken, Missing::Certificate] {
            let outcome = authorize(&identity(KnownBy::Nothing(missing)), &method, route);
            assert_eq!(outcome, role.map_or(Ok(()), |_| Err(missing.error())), "{name} {route} as nobody");
        }
        let expected = if NOT_ENABLED.contains(&(name, route)) { Err(AccessError::NotEnabled) } else { Ok(()) };
        assert_eq!(authorize(&identity(KnownBy::Openness), &method, route), expected, "{name} {route} without tokens");
    }
}

/// The table above against the routes that the router has.
#[test]
fn the_table_has_every_route() {
    let (_, document) = crate::http::routes().split_for_parts();
    let document = serde_json::to_value(document).unwrap();
    let routes = document["paths"].as_object().unwrap();
    assert!(routes.len() > 10);
    for (route, methods) in routes {
        for method in methods.as_object().unwrap().keys() {
            let listed = TABLE.iter().any(|(name, path, _)| name.eq_ignore_ascii_case(method) && path == route);
            assert!(listed, "{method} {route} is missing here");
        }
    }
}

const FIRST: &str = "the-first-of-the-tokens";
const SECOND: &str = "the-second-of-the-tokens";

fn caller(folder: &TempDir, name: &str, role: Role, token: &str) -> Caller {
    let token_file = folder.path().join(name);
    fs::write(&token_file, format!("{token}\n")).unwrap();
    Caller { name: name.to_owned(), role, token_file }
}

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap())])
}

fn known_by(callers: &Callers, token: &str) -> KnownBy {
    callers.identify(&bearer(token), None).known_by
}

fn replace(callers: &Callers, path: &Path, content: &str) {
    fs::write(path, content).unwrap();
    callers.look();
    callers.look();
}

#[tokio::test]
async fn a_caller_is_known_by_a_token() {
    let folder = tempdir().unwrap();
    let callers = Callers::new(
        vec![caller(&folder, "boss", Role::Admin, FIRST), caller(&folder, "nightly", Role::Operator, SECOND)],
        false,
    )
    .unwrap();
    assert_eq!(known_by(&callers, FIRST), KnownBy::Token(Role::Admin));
    assert_eq!(callers.identify(&bearer(SECOND), None).name, "nightly");
    for wrong in ["", "the-first", &FIRST.to_uppercase(), &format!("{FIRST}x")] {
        assert!(matches!(known_by(&callers, wrong), KnownBy::Nothing(_)), "{wrong}");
    }
    assert_eq!(callers.identify(&HeaderMap::new(), None).known_by, KnownBy::Nothing(Missing::AnyToken));
    assert_eq!(Callers::new(Vec::new(), false).unwrap().identify(&bearer(FIRST), None).known_by, KnownBy::Openness);
}

#[tokio::test]
async fn a_certificate_names_whoever_has_no_token() {
    let folder = tempdir().unwrap();
    let address = "127.0.0.1:1".parse().unwrap();
    let [with, without] = [Some("backup-job".into()), None].map(|certified| Peer { address, certified });
    let open = Callers::new(Vec::new(), true).unwrap();
    assert_eq!(open.identify(&HeaderMap::new(), Some(&with)).name, "backup-job");
    let tokens = Callers::new(vec![caller(&folder, "boss", Role::Admin, FIRST)], true).unwrap();
    assert_eq!(tokens.identify(&bearer(FIRST), Some(&with)).name, "boss");
    for callers in [open, tokens] {
        let identity = callers.identify(&bearer(FIRST), Some(&without));
        assert_eq!(identity.known_by, KnownBy::Nothing(Missing::Certificate));
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_before_is_known_for_some_minutes() {
    let folder = tempdir().unwrap();
    let boss = caller(&folder, "boss", Role::Admin, FIRST);
    let path = boss.token_file.clone();
    let callers = Callers::new(vec![boss], false).unwrap();
    replace(&callers, &path, SECOND);
    for token in [FIRST, SECOND] {
        assert_eq!(known_by(&callers, token), KnownBy::Token(Role::Admin), "{token}");
    }
    tokio::time::advance(Duration::from_secs(301)).await;
    assert_eq!(known_by(&callers, FIRST), KnownBy::Nothing(Missing::KnownToken));
    assert_eq!(known_by(&callers, SECOND), KnownBy::Token(Role::Admin));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_holds_no_token_locks_nobody_out_and_lets_nobody_in() {
    let folder = tempdir().unwrap();
    let boss = caller(&folder, "boss", Role::Admin, FIRST);
    let path = boss.token_file.clone();
    let callers = Callers::new(vec![boss], false).unwrap();
    for content in ["", "\n", "half", "two words of a text"] {
        replace(&callers, &path, content);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(known_by(&callers, FIRST), KnownBy::Token(Role::Admin), "{content:?}");
        assert!(matches!(known_by(&callers, content.trim_end()), KnownBy::Nothing(_)), "{content:?}");
    }
    fs::remove_file(&path).unwrap();
    callers.look();
    callers.look();
    assert_eq!(known_by(&callers, FIRST), KnownBy::Token(Role::Admin));
}

#[tokio::test]
async fn of_two_with_the_same_token_the_lesser_role_counts() {
    let folder = tempdir().unwrap();
    let (boss, looker) = (caller(&folder, "boss", Role::Admin, FIRST), caller(&folder, "looker", Role::Reader, SECOND));
    let path = boss.token_file.clone();
    let callers = Callers::new(vec![boss, looker], false).unwrap();
    replace(&callers, &path, SECOND);
    assert_eq!(callers.identify(&bearer(SECOND), None).name, "looker");
}
