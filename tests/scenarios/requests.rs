//! Wrong requests: each gets its status and a message that says what to do, and nothing is written.

use anyhow::{Context, Result};
use backup_test_support::engine::Distribution;
use backup_test_support::host::{Host, Reply};
use serde_json::Value;

use crate::fixture::Fixture;
use crate::metrics::Exposition;
use crate::{in_every_host, on_elasticsearch};

on_elasticsearch!(
    every_wrong_id_is_refused,
    an_id_may_be_a_string_of_digits,
    every_wrong_body_is_refused,
    wrong_verbs_and_paths_are_told,
    the_actuator_lists_what_there_is,
    calls_are_counted,
);

in_every_host!(
    every_wrong_id_is_refused,
    an_id_may_be_a_string_of_digits,
    every_wrong_body_is_refused,
    wrong_verbs_and_paths_are_told,
    the_actuator_lists_what_there_is,
);

async fn post(host: &Host, content_type: &str, body: &str) -> Result<Reply> {
    host.request("POST", "/actuator/backups", &[("content-type", content_type)], body.to_owned()).await
}

#[track_caller]
fn assert_error(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&reply.text).unwrap_or_default();
    assert_eq!(body["errorCode"], code, "{}", reply.text);
    assert!(body["errorMessage"].as_str().is_some_and(|message| message.len() > 20), "{}", reply.text);
    assert!(body.get("detailedMessage").is_some(), "{}", reply.text);
}

async fn every_wrong_id_is_refused(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    for id in [
        "0",
        "-1",
        "1.5",
        "1e3",
        "\"12a\"",
        "\"\"",
        "\" 1\"",
        "\"+1\"",
        "\"01\"",
        "true",
        "[1]",
        "{}",
        "9223372036854775808",
    ] {
        let reply = post(&host, "application/json", &format!("{{\"backupId\":{id}}}")).await?;
        assert_error(&reply, 400, "invalidBackupId");
    }
    for id in ["0", "-1", "1.5", "1e3", "12a", "%20", "+1", "01", "9223372036854775808", "1%2c2", "*", "_all", "%ff"] {
        for method in ["GET", "DELETE"] {
            let reply = host.request(method, &format!("/actuator/backups/{id}"), &[], String::new()).await?;
            assert_error(&reply, 400, "invalidBackupId");
        }
    }
    assert!(fixture.repository.snapshots().await?.is_empty());
    Ok(())
}

async fn an_id_may_be_a_string_of_digits(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    let reply =
        post(&host, "application/json; charset=utf-8", r#"{"other":[1],"backupId":"9223372036854775807"}"#).await?;
    assert_eq!(reply.status, 202, "{}", reply.text);
    host.wait_for_state(9_223_372_036_854_775_807, "COMPLETE").await
}

async fn every_wrong_body_is_refused(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    for body in ["", "{", "[]", "7", "\"1\"", "backupId=1", "{\"backupId\":1", "{\"backupId\":1,\"backupId\":2}"] {
        assert_error(&post(&host, "application/json", body).await?, 400, "malformedBody");
    }
    for body in ["{}", r#"{"backupId":null}"#, r#"{"BackupId":1}"#] {
        assert_error(&post(&host, "application/json", body).await?, 400, "backupIdMissing");
    }
    let large = format!("{{\"backupId\":1,\"padding\":\"{}\"}}", "x".repeat(64 << 10));
    assert_error(&post(&host, "application/json", &large).await?, 413, "bodyTooLarge");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        assert_error(&post(&host, content_type, r#"{"backupId":1}"#).await?, 415, "unsupportedMediaType");
    }
    assert!(fixture.repository.snapshots().await?.is_empty());
    Ok(())
}

async fn wrong_verbs_and_paths_are_told(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    for (method, path, allowed) in [
        ("PUT", "/actuator/backups", "GET,HEAD,POST"),
        ("DELETE", "/actuator/backups", "GET,HEAD,POST"),
        ("POST", "/actuator/backups/1", "DELETE,GET,HEAD"),
        ("POST", "/actuator", "GET,HEAD"),
        ("DELETE", "/actuator/health", "GET,HEAD"),
    ] {
        let reply = host.request(method, path, &[], String::new()).await?;
        assert_error(&reply, 405, "methodNotAllowed");
        let mut allow: Vec<&str> = reply.header("allow").context("Allow")?.split(',').map(str::trim).collect();
        allow.sort_unstable();
        assert_eq!(allow.join(","), allowed, "{method} {path}");
    }
    for path in ["/", "/actuator/backup", "/actuator/backups/1/2", "/actuator/env", "/api/backups"] {
        assert_error(&host.get(path).await?, 404, "unknownPath");
    }
    Ok(())
}

async fn the_actuator_lists_what_there_is(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    let links = host.get("/actuator").await?.json()?;
    for (name, link) in links["_links"].as_object().context("links")? {
        let href = link["href"].as_str().context("href")?;
        let path = href
            .split_once("/actuator")
            .context("a link to the actuator")?
            .1
            .replace("{backupId}", "1")
            .replace("{name}", "ROOT");
        let status = host.get(&format!("/actuator{path}")).await?.status;
        let expected = match name.as_str() {
            "backups-backupId"
            | "backups-backupId-progress"
            | "backups-backupId-restore"
            | "backups-backupId-verify" => 404,
            "policy-rollback" | "policy-shadow" | "retention" => 405,
            _ => 200,
        };
        assert_eq!(status, expected, "{name}");
    }
    Ok(())
}

/// Calls of the policy are counted by operation and outcome; requests that the host answers alone are not.
async fn calls_are_counted(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    for id in ["1", "22", "abc"] {
        host.get(&format!("/actuator/backups/{id}")).await?;
    }
    host.create(0).await?;
    post(&host, "application/json", "{}").await?;
    host.delete("/actuator/backups/1").await?;
    let metrics = Exposition::of(&host).await?;
    let calls =
        |operation, outcome| metrics.value("policy_calls_total", &[("operation", operation), ("outcome", outcome)]);
    assert_eq!((calls("get", "refused"), calls("get", "ok")), (Some(3.0), Some(0.0)));
    assert_eq!((calls("create", "refused"), calls("create", "ok")), (Some(1.0), Some(0.0)));
    assert_eq!((calls("delete", "ok"), calls("delete", "refused")), (Some(1.0), Some(0.0)));
    Ok(())
}
