//! The host as a process of its own, without an engine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use backup_test_hosts::TOKEN;
use backup_test_hosts::policies::ids;
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::poll_until;
use futures::future::join_all;
use optimize_backup::policy::WATCH_INTERVAL;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::fixtures::{self, HOSTILE};

/// A host whose policy is in this file.
fn host_options(policy: &Path) -> HostOptions {
    HostOptions::new(PathBuf::from(env!("CARGO_BIN_EXE_optimize-backup")))
        .env("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", "backups")
        .env("CAMUNDA_OPTIMIZE_POLICY_PATH", &policy.to_string_lossy())
}

async fn host(policy: &Path, more: &[(&str, &str)]) -> Result<Host> {
    let options = host_options(policy);
    Host::start(more.iter().fold(options, |options, (name, value)| options.env(name, value))).await
}

async fn expect_service(host: &Host) -> Result<()> {
    let reply = host.get("/actuator/backups/abc").await?;
    assert_eq!((reply.status, &reply.json()?["errorCode"]), (400, &json!("invalidBackupId")), "{}", reply.text);
    Ok(())
}

#[tokio::test]
async fn a_signal_loads_the_file_again() -> Result<()> {
    let directory = tempdir()?;
    let path = directory.path().join("policy.wasm");
    fs::write(&path, fixtures::embedded_as("8.0.0"))?;
    let host = Host::start(host_options(&path).token(TOKEN)).await?;
    let serving = async || -> Result<Value> { Ok(host.get("/actuator/policy").await?.json()?["serving"].take()) };
    // By then the file has been looked at often enough: as it is, only the signal loads it again.
    tokio::time::sleep(3 * WATCH_INTERVAL).await;
    let uploaded = host.request("PUT", "/actuator/policy?force=true", &[], fixtures::embedded_as("7.0.0")).await?;
    assert_eq!(uploaded.status, 200, "{}", uploaded.text);
    assert_eq!(serving().await?["version"], json!("7.0.0"));
    host.hang_up()?;
    let is_exchanged = async || Ok((serving().await?["version"] == json!("8.0.0")).then_some(()));
    poll_until("the new policy", Duration::from_secs(60), is_exchanged).await?;
    assert_eq!(serving().await?["generation"], json!(3));
    expect_service(&host).await
}

/// An engine that takes connections and never answers: a probe that waits for 6 s gets its answer.
#[tokio::test]
async fn readiness_is_a_no_within_6_seconds() -> Result<()> {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let options = HostOptions::new(PathBuf::from(env!("CARGO_BIN_EXE_optimize-backup")))
        .env("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", "backups")
        .env("OPTIMIZE_ELASTICSEARCH_HOST", "127.0.0.1")
        .env("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", &silent.local_addr()?.port().to_string());
    let host = Host::start(options).await?;
    let since = Instant::now();
    let reply = host.get("/actuator/health/readiness").await?;
    assert_eq!(reply.status, 503, "{}", reply.text);
    assert!(since.elapsed() < Duration::from_secs(6), "{:?}", since.elapsed());
    assert_eq!(host.get("/actuator/health/liveness").await?.status, 200);
    Ok(())
}

/// Of the embedded policy, after it has worked.
#[tokio::test]
async fn it_needs_no_more_memory_than_the_documents_say() -> Result<()> {
    let (_, said) =
        include_str!("../../docs/operations.md").split_once("in use are less than ").context("the claim")?;
    let most: u64 = said.split_once(" MB").context("the unit")?.0.parse()?;
    let options = HostOptions::new(PathBuf::from(env!("CARGO_BIN_EXE_optimize-backup")))
        .env("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", "backups");
    let host = Host::start(options).await?;
    for _ in 0..100 {
        expect_service(&host).await?;
    }
    let peak = host.peak_memory()? / 1_000_000;
    assert!(peak < most, "it has needed {peak} MB");
    Ok(())
}

/// Limits of one call, in MiB.
const MEMORY: u64 = 16;
const TRANSFER: u64 = 1;
/// What all calls at once can hold by docs/operations.md, here without large answers of a search engine, and some MiB for the
/// callers' connections.
const MOST: u64 = (5 * MEMORY + 18 + 4 * TRANSFER + 20) << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_bounded_whatever_a_policy_does() -> Result<()> {
    let directory = tempdir()?;
    let path = directory.path().join("policy.wasm");
    fs::write(&path, &*HOSTILE)?;
    let limits = [
        ("CAMUNDA_OPTIMIZE_POLICY_MAX_MEMORY_BYTES", (MEMORY << 20).to_string()),
        ("CAMUNDA_OPTIMIZE_POLICY_MAX_TRANSFER_BYTES", (TRANSFER << 20).to_string()),
    ];
    let host = host(&path, &limits.each_ref().map(|(name, value)| (*name, value.as_str()))).await?;
    expect_service(&host).await?;
    let before = host.peak_memory()?;
    // Together they would need several times as much as is allowed.
    let calls = [ids::BOMB, ids::HUGE_LIST, ids::HUGE_TEXT].into_iter().cycle().take(90);
    for misbehaved in join_all(calls.map(|id| misbehave(&host, id))).await {
        misbehaved?;
    }
    expect_service(&host).await?;
    let grown = host.peak_memory()? - before;
    assert!(grown < MOST, "it grew by {} MiB", grown >> 20);
    Ok(())
}

/// One call fails, and others are served before and after it.
async fn misbehave(host: &Host, id: u64) -> Result<()> {
    expect_answer(host, "abc", (400, "invalidBackupId")).await?;
    expect_answer(host, &id.to_string(), (500, "policyFailed")).await?;
    expect_answer(host, "abc", (400, "invalidBackupId")).await
}

/// To a caller who tries again when there is no room, as the answer says.
async fn expect_answer(host: &Host, id: &str, expected: (u16, &str)) -> Result<()> {
    loop {
        let reply = host.get(&format!("/actuator/backups/{id}")).await?;
        let body = reply.json()?;
        let found = (reply.status, body["errorCode"].as_str().unwrap_or_default());
        if found != (503, "serverBusy") {
            anyhow::ensure!(found == expected, "{}", reply.text);
            return Ok(());
        }
        let seconds = reply.header("retry-after").context("the header Retry-After")?.parse()?;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

/// The lines of a log until it listens, and its port.
fn until_it_listens(log: &mut impl BufRead) -> Result<u16> {
    loop {
        let mut line = String::new();
        anyhow::ensure!(log.read_line(&mut line)? > 0, "the log ends before it listens");
        let event: Value = serde_json::from_str(&line)?;
        if event["message"] == "listening" {
            let address = event["address"].as_str().context("an address")?;
            return Ok(address.rsplit_once(':').context("a port")?.1.parse()?);
        }
    }
}

/// Somebody reads the log up to a point and then closes the pipe, or keeps it open and reads no more.
#[tokio::test]
async fn nobody_who_reads_the_log_can_stop_the_server() -> Result<()> {
    for closes in [true, false] {
        let mut server = Command::new(env!("CARGO_BIN_EXE_optimize-backup"))
            .arg("serve")
            .env_clear()
            .env("CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR", "0")
            .env("CAMUNDA_OPTIMIZE_BACKUP_LOG_FORMAT", "json")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut log = BufReader::new(server.stdout.take().context("a pipe")?);
        let port = until_it_listens(&mut log);
        let mut log = Some(log);
        if closes {
            log = None;
        }
        // More lines than a pipe takes.
        let answered = match port {
            Ok(port) => answers(port, 1000).await,
            Err(error) => Err(error),
        };
        let id = Pid::from_raw(i32::try_from(server.id())?).context("a process")?;
        kill_process(id, Signal::TERM)?;
        let ended = tokio::task::spawn_blocking(move || server.wait()).await??;
        drop(log);
        answered.with_context(|| format!("closes: {closes}"))?;
        assert_eq!(ended.code(), Some(0), "closes: {closes}");
    }
    Ok(())
}

async fn answers(port: u16, count: usize) -> Result<()> {
    let client = reqwest::Client::new();
    for number in 0..count {
        let url = format!("http://127.0.0.1:{port}/actuator/backups/no-number-{number}");
        let status = client.get(url).timeout(Duration::from_secs(10)).send().await?.status();
        anyhow::ensure!(status == 400, "{status}");
    }
    Ok(())
}
