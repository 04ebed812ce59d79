//! Health: what keeps backups from being made is told by component, with what to do, and is seen to be over.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use anyhow::{Context, Result};
use backup_test_support::engine::Distribution;
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::host::Host;
use backup_test_support::installation::{Installation, unique_prefix};
use backup_test_support::poll_until;
use backup_test_support::repository::{Repository, RepositoryOptions};
use serde_json::{Value, json};

use crate::fixture::{Fixture, options};
use crate::{on_elasticsearch, on_every_engine};

on_every_engine!(what_backups_are_made_of_is_told, a_storage_that_cannot_be_written_to_is_told);

on_elasticsearch!(
    a_page_in_place_of_the_engine_is_told,
    a_prefix_without_indices_is_told,
    a_repository_that_is_registered_later_is_seen,
    who_may_not_verify_is_told_so_and_is_ready
);

/// Longer than a failed verification is kept.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(90);

/// Waits until readiness is up: its body.
async fn ready(host: &Host) -> Result<Value> {
    poll_until("readiness", RECOVERY_TIMEOUT, async || {
        let reply = host.get("/actuator/health/readiness").await?;
        Ok((reply.status == 200).then_some(reply.json()?))
    })
    .await
}

/// Waits until readiness is down because of a component, and returns what is said of it.
async fn down(host: &Host, component: &str) -> Result<String> {
    let told = poll_until("readiness to be down", RECOVERY_TIMEOUT, async || {
        let reply = host.get("/actuator/health/readiness").await?;
        Ok((reply.status == 503).then_some(reply.json()?))
    });
    let told = told.await?;
    assert_eq!((&told["status"], &told["components"][component]["status"]), (&json!("DOWN"), &json!("DOWN")), "{told}");
    assert_eq!(host.get("/actuator/health").await?.status, 503);
    assert_eq!(host.get("/actuator/health/liveness").await?.status, 200);
    let error = told["components"][component]["details"]["error"].as_str().context("an error")?.to_owned();
    logged(host, &error).await?;
    Ok(error)
}

/// Waits for an event of the log.
async fn logged(host: &Host, text: &str) -> Result<Value> {
    let has_text = |event: &Value| event["message"].as_str().is_some_and(|message| message.contains(text));
    poll_until(text, Duration::from_secs(20), async || Ok(host.log()?.into_iter().find(has_text))).await
}

async fn what_backups_are_made_of_is_told(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    // On a busy machine not everything may be answered within the first look.
    let health = poll_until("the version and the verification", RECOVERY_TIMEOUT, async || {
        let health = ready(&host).await?;
        let of = |component: &str| &health["components"][component]["details"];
        let is_whole = of("engine")["version"].is_string() && of("repository")["verification"].is_object();
        Ok(is_whole.then_some(health))
    });
    let health = health.await?;
    let details = |component: &str| &health["components"][component]["details"];
    assert!(details("engine")["version"].is_string() && details("engine")["warning"].is_null(), "{health}");
    let repository = details("repository");
    assert_eq!((&repository["type"], &repository["readOnly"]), (&json!("fs"), &json!(false)), "{health}");
    assert_eq!(repository["verification"]["outcome"], "PASSED", "{health}");
    assert!(details("indices")["partOne"].as_u64() > Some(0) && details("indices")["partTwo"].as_u64() > Some(0));

    let whole = host.get("/actuator/health").await?.json()?;
    assert_eq!(whole["components"]["policy"]["details"]["source"], "embedded", "{whole}");
    let told = logged(&host, "backups can be made").await?;
    assert_eq!(told["engine"], details("engine")["kind"]);
    assert_eq!(
        (&told["repository"], &told["partOne"]),
        (&json!(fixture.repository.name()), &details("indices")["partOne"])
    );
    Ok(())
}

/// Its folder cannot be read, or only be read.
async fn a_storage_that_cannot_be_written_to_is_told(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::on_own_engine(distribution).await?;
    let allow = |mode| fs::set_permissions(fixture.repository.folder()?, Permissions::from_mode(mode)).context("chmod");
    let mut hosts = Vec::new();
    for mode in [0o000, 0o555] {
        allow(mode)?;
        let host = fixture.host().await?;
        let error = down(&host, "repository").await;
        allow(0o755)?;
        let error = error?;
        assert!(error.contains("access_denied_exception") || error.contains("not accessible"), "{error}");
        assert!(error.contains("may write to it"), "{error}");
        hosts.push(host);
    }
    for host in hosts {
        ready(&host).await?;
    }
    Ok(())
}

async fn a_page_in_place_of_the_engine_is_told(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    let host = Host::start(fixture.options_through(&proxy)?).await?;
    ready(&host).await?;
    proxy.add(When::any(""), Fault::text(200, "text/html", "<html><body>Welcome</body></html>"));
    let error = down(&host, "engine").await?;
    assert!(error.contains("without a proxy that answers in its place") && error.contains("Welcome"), "{error}");
    proxy.heal();
    ready(&host).await?;
    // However often it was asked, it has verified once.
    let verifications = proxy.health_checks().iter().filter(|request| request.path.ends_with("_verify")).count();
    assert_eq!(verifications, 1);
    Ok(())
}

async fn a_prefix_without_indices_is_told(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let prefix = unique_prefix();
    let host = Host::start(options(&fixture.engine, fixture.repository.name(), &prefix)).await?;
    let error = down(&host, "indices").await?;
    assert!(error.contains(&format!("no index whose name begins with '{prefix}-'")), "{error}");
    let reply = host.create(1).await?;
    assert_eq!(reply.json()?["errorCode"], "nothingToBackUp", "{}", reply.text);
    assert!(reply.text.contains("index.prefix"), "{}", reply.text);

    let _installation = Installation::minimal(&fixture.engine, &prefix).await?;
    ready(&host).await?;
    Ok(())
}

async fn a_repository_that_is_registered_later_is_seen(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let name = format!("{}-later", fixture.installation.prefix());
    let host = Host::start(options(&fixture.engine, &name, fixture.installation.prefix())).await?;
    let error = down(&host, "repository").await?;
    assert!(error.contains(&format!("'{name}' does not exist")) && error.contains("register it there"), "{error}");
    let _repository = Repository::register_as(&fixture.engine, &name, RepositoryOptions::default()).await?;
    ready(&host).await?;
    Ok(())
}

async fn who_may_not_verify_is_told_so_and_is_ready(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let proxy = FaultProxy::in_front_of(&fixture.engine).await?;
    proxy.add(When::post("/_verify"), Fault::engine_error(403, "security_exception"));
    let host = Host::start(fixture.options_through(&proxy)?).await?;
    let health = ready(&host).await?;
    let verification = &health["components"]["repository"]["details"]["verification"];
    assert_eq!(verification["outcome"], "UNKNOWN", "{health}");
    assert!(verification["reason"].as_str().is_some_and(|reason| reason.contains("cluster:admin/repository/verify")));
    Ok(())
}
