//! The log: each line is an event in JSON, and says which backup, run and module it is of.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use backup_test_support::poll_until;
use serde_json::Value;

use crate::fixture::{Fixture, bare_options, delete, run_ended};
use crate::on_elasticsearch;

on_elasticsearch!(every_line_is_an_event_with_the_same_names);

async fn every_line_is_an_event_with_the_same_names(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let options =
        fixture.options_through(&proxy)?.env("CAMUNDA_OPTIMIZE_BACKUP_LOG_LEVEL", "info,optimize_backup=debug");
    let host = Host::start(options.env("CAMUNDA_OPTIMIZE_BACKUP_COLOUR", "blue")).await?;
    proxy.add(When::put("_part_2_of_2").nth(1), Fault::engine_error(500, "snapshot_exception"));
    proxy.add(When::get("camunda_optimize_1_").nth(1), Fault::reset());
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    run_ended(&host).await?;
    host.get("/actuator/backups/a\"b%0A").await?;
    delete(&host, 1).await?;
    // The 204 can come before the search engine is done.
    let deleted = async || Ok(host.output()?.contains("the backup is deleted").then_some(()));
    poll_until("the deletion in the log", Duration::from_secs(30), deleted).await?;

    let output = host.output()?;
    let events: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}")))
        .collect::<Result<_>>()?;
    for event in &events {
        check(event).with_context(|| event.to_string())?;
    }
    for message in [
        "starting; what is not listed in settings has its default",
        "the policy serves",
        "the search engine accepted part 1",
        "there is no part 2; trying again",
        "the search engine accepted part 2",
        "the backup is complete",
        "the backup is deleted",
        "sending the request again",
    ] {
        assert!(events.iter().any(|event| event["message"] == message), "{message} is not in:\n{output}");
    }
    let run_ids: Vec<&Value> =
        events.iter().filter(|event| event["backupId"] == 1).filter_map(|event| event.get("runId")).collect();
    assert!(run_ids.len() >= 4 && run_ids.iter().all(|id| *id == run_ids[0]), "{run_ids:?}");
    let misspelt = events.iter().filter(|event| event["variable"] == "CAMUNDA_OPTIMIZE_BACKUP_COLOUR").count();
    assert_eq!(misspelt, 1);
    let start = events.iter().find(|event| event["url"].is_string()).context("the start")?;
    let settings = start["settings"].as_str().context("the settings")?;
    assert!(settings.contains("es.backup.repositoryName from CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME"), "{settings}");
    Ok(())
}

fn check(event: &Value) -> Result<()> {
    for field in ["timestamp", "level", "logger", "message"] {
        ensure!(event[field].is_string(), "without {field}");
    }
    let time = event["timestamp"].as_str().unwrap_or_default();
    ensure!(time.parse::<jiff::Timestamp>().is_ok(), "the time {time}");
    ensure!(event["backupId"].is_null() || event["backupId"].is_u64(), "a backup ID that is no number");
    let text = event.to_string();
    for rust in ["Some(", "None", "Ok(", "Err(", "Response {"] {
        ensure!(!text.contains(rust), "the text of a Rust value");
    }
    Ok(())
}

/// No search engine is needed for that.
#[tokio::test]
async fn levels_are_changed_while_it_runs() -> Result<()> {
    let host = Host::start(bare_options()).await?;
    let json = [("content-type", "application/json")];
    let set = async |logger: &str, body: &'static str| -> Result<u16> {
        Ok(host.request("POST", &format!("/actuator/loggers/{logger}"), &json, body).await?.status)
    };
    let is_logged =
        |id: &str| Ok(host.log()?.iter().any(|event| event["message"].to_string().contains(id)).then_some(()));
    let ask = async |id: &str| host.get(&format!("/actuator/backups/{id}")).await;

    ask("first").await?;
    poll_until("the first line", Duration::from_secs(20), async || is_logged("first")).await?;
    assert_eq!(set("ROOT", r#"{"configuredLevel":"OFF"}"#).await?, 204);
    ask("second").await?;
    assert_eq!(set("optimize_backup::http", r#"{"configuredLevel":"info"}"#).await?, 204);
    ask("third").await?;
    poll_until("the third line", Duration::from_secs(20), async || is_logged("third")).await?;
    assert_eq!(is_logged("second")?, None);

    let all = host.get("/actuator/loggers").await?.json()?;
    assert_eq!(all["levels"], serde_json::json!(["OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"]));
    let one = host.get("/actuator/loggers/optimize_backup::http").await?.json()?;
    assert_eq!(one, serde_json::json!({"configuredLevel": "INFO", "effectiveLevel": "INFO"}));
    assert_eq!(all["loggers"]["optimize_backup::http"], one);
    assert_eq!(set("optimize_backup::http", r#"{"configuredLevel":null}"#).await?, 204);
    let one = host.get("/actuator/loggers/optimize_backup::http").await?.json()?;
    assert_eq!(one, serde_json::json!({"effectiveLevel": "OFF"}));

    let wrong = host.request("POST", "/actuator/loggers/ROOT", &json, r#"{"configuredLevel":"LOUD"}"#).await?;
    assert_eq!((wrong.status, &wrong.json()?["errorCode"]), (400, &"invalidLogLevel".into()), "{}", wrong.text);
    assert!(wrong.text.contains("OFF, ERROR, WARN, INFO, DEBUG and TRACE"), "{}", wrong.text);
    let audit = host.request("POST", "/actuator/loggers/audit", &json, r#"{"configuredLevel":"OFF"}"#).await?;
    assert_eq!((audit.status, &audit.json()?["errorCode"]), (403, &"operationNotEnabled".into()));
    let unknown = host.get("/actuator/loggers/not-there").await?;
    assert_eq!((unknown.status, &unknown.json()?["errorCode"]), (404, &"unknownLogger".into()));
    let springs = [("content-type", "application/vnd.spring-boot.actuator.v3+json")];
    assert_eq!(host.request("POST", "/actuator/loggers/ROOT", &springs, "{}").await?.status, 204);
    Ok(())
}
