//! An engine that asks who we are.

use anyhow::Result;
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::host::Host;
use backup_test_support::installation::{Installation, unique_prefix};
use backup_test_support::repository::Repository;

use crate::world::options;

#[tokio::test]
async fn only_the_right_password_opens_it() -> Result<()> {
    const PASSWORD: &str = "pass: \"wörd\" #1";
    const WRONG: &str = "wrong-and-never-shown";
    let engine = Engine::start_secured(Distribution::ELASTICSEARCH, PASSWORD).await?;
    let repository = Repository::register(&engine).await?;
    let installation = Installation::minimal(&engine, &unique_prefix()).await?;
    let options = options(&engine, repository.name(), installation.prefix());
    let login = |password: &str| {
        let options = options.clone().env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_USERNAME", "elastic");
        options.env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD", password)
    };

    for refused in [options.clone(), login(WRONG)] {
        let host = Host::start(refused.env("CAMUNDA_OPTIMIZE_BACKUP_LOG_LEVEL", "trace")).await?;
        let reply = host.create(1).await?;
        assert_eq!((reply.status, &reply.json()?["errorCode"]), (500, &"engineAccessDenied".into()), "{}", reply.text);
        assert!(reply.text.contains("401 security_exception"), "{}", reply.text);
        let health = host.get("/actuator/health").await?;
        assert_eq!(health.status, 503);
        for text in [reply.text, health.text, host.output()?] {
            // Base64 of the pair, as it goes over the wire.
            assert!(!text.contains(WRONG) && !text.contains("ZWxhc3RpYzp3cm9uZy"), "a secret is shown: {text}");
        }
    }
    assert!(repository.snapshots().await?.is_empty());

    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), format!("{PASSWORD}\n"))?;
    let by_file = options
        .clone()
        .env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_USERNAME", "elastic")
        .env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD_FILE", &file.path().display().to_string());
    for (id, accepted) in [(1, login(PASSWORD)), (2, by_file)] {
        let host = Host::start(accepted).await?;
        host.create(id).await?;
        host.wait_for_state(id, "COMPLETE").await?;
    }
    Ok(())
}
