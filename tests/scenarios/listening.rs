//! Where the server listens, and what it tells when it starts. No search engine is needed for that.

use std::net::TcpListener;

use anyhow::{Context, Result};
use backup_test_support::host::Host;
use serde_json::Value;

use crate::fixture::bare_options;

const HOST: &str = "CONTAINER_HOST";

/// The event of the log that has such a message.
fn event(host: &Host, message: &str) -> Result<Value> {
    let found = host.log()?.into_iter().find(|event| event.to_string().contains(message));
    found.with_context(|| format!("the log has no {message}"))
}

/// The address in the log.
fn address(host: &Host) -> Result<String> {
    let listening = event(host, "\"listening\"")?.to_string();
    let (_, rest) = listening.split_once("\"address\":\"").context("an address")?;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn it_listens_on_every_ipv4_address() -> Result<()> {
    let host = Host::start(bare_options()).await?;
    assert!(address(&host)?.starts_with("0.0.0.0:"), "{}", address(&host)?);
    assert_eq!(host.get("/actuator/health/liveness").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn it_listens_on_the_address_that_it_is_told() -> Result<()> {
    let host = Host::start(bare_options().env(HOST, "127.0.0.1")).await?;
    assert!(address(&host)?.starts_with("127.0.0.1:"), "{}", address(&host)?);
    assert_eq!(host.get("/actuator/health/liveness").await?.status, 200);
    let host = Host::start(bare_options().config("container: {host: localhost}")).await?;
    assert!(!address(&host)?.starts_with("0.0.0.0"), "{}", address(&host)?);
    Ok(())
}

#[tokio::test]
async fn it_listens_on_an_ipv6_address() -> Result<()> {
    if TcpListener::bind("[::1]:0").is_err() {
        // This machine has none.
        return Ok(());
    }
    let host = Host::start(bare_options().env(HOST, "::1")).await?;
    assert!(address(&host)?.starts_with("[::1]:"), "{}", address(&host)?);
    Ok(())
}

#[tokio::test]
async fn an_address_of_another_machine_stops_the_start() -> Result<()> {
    let failure = Host::start_failing(bare_options().env(HOST, "192.0.2.1")).await?;
    assert_eq!(failure.code, Some(1));
    let line = "container.host, container.ports.actuator: cannot listen on 192.0.2.1:0: ";
    assert!(failure.stderr.contains(line), "{}", failure.stderr);
    Ok(())
}

#[tokio::test]
async fn the_start_tells_which_word_is_served_for_a_good_backup() -> Result<()> {
    for word in ["COMPLETE", "COMPLETED"] {
        let host = Host::start(bare_options().env("CAMUNDA_OPTIMIZE_BACKUP_COMPLETE_STATE", word)).await?;
        let told = event(&host, "a backup that can be restored has the state")?.to_string();
        assert!(told.contains(&format!("\"state\":\"{word}\"")), "{told}");
    }
    Ok(())
}
