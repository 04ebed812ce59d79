use std::collections::BTreeMap;

use backup_core::{Refusal, Response};

use super::register::key_and_value;
use super::registered::Registered;
use super::{RepositoryCommandError, verify};

fn registered(storage: &str, settings: &[(&str, &str)]) -> Registered {
    let settings: BTreeMap<_, _> =
        settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Registered { storage: storage.to_owned(), settings }
}

#[test]
fn a_difference_is_told_without_secrets() {
    let found = registered("fs", &[("location", "/a"), ("compress", "true"), ("secret_key", "one")]);
    assert!(found.differences(&found.clone()).is_empty());
    let other = registered("s3", &[("location", "/b"), ("readonly", "true"), ("secret_key", "two")]);
    let told = [
        "type: 'fs' → 's3'",
        "compress: 'true' → not set",
        "location: '/a' → '/b'",
        "readonly: not set → 'true'",
        "secret_key: (not shown) → (not shown)",
    ];
    assert_eq!(found.differences(&other), told);
}

#[test]
fn a_setting_has_a_key_and_a_value() {
    let pair = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
    assert_eq!(key_and_value("location=/a=b"), pair("location", "/a=b"));
    assert_eq!(key_and_value("base_path="), pair("base_path", ""));
    assert!(key_and_value("location").is_err() && key_and_value("=/a").is_err());
}

#[test]
fn what_to_do_about_a_refusal_is_told() {
    for (status, kind, reason, advice) in [
        (
            500,
            "repository_exception",
            "location [/a] doesn't match any of the locations specified by path.repo",
            "path.repo",
        ),
        (500, "repository_exception", "repository type [hdfs] does not exist", "install the plugin"),
        (403, "security_exception", "action is unauthorized", "cluster:admin/repository/put"),
        (401, "security_exception", "unable to authenticate", "user and password"),
        (404, "repository_missing_exception", "[backups] missing", "repository register"),
    ] {
        let body = serde_json::json!({"error": {"type": kind, "reason": reason}, "status": status}).to_string();
        let error = RepositoryCommandError::from(Refusal::of(&Response { status, retry_after: None, body }));
        assert!(error.to_string().contains(reason) && error.to_string().contains(advice), "{error}");
    }
}

#[test]
fn the_nodes_are_named() {
    assert_eq!(verify::nodes(r#"{"nodes":{"x":{"name":"b"},"y":{"name":"a"}}}"#), Some(vec!["a".into(), "b".into()]));
    assert_eq!(verify::nodes("<html>"), None);
}
