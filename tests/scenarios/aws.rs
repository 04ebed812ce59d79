//! OpenSearch on AWS: every request is signed, with credentials from where AWS's own tools look for them. AWS is
//! `backup_test_support::aws`; nothing here was tried on the real one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use backup_core::memory::Dialect;
use backup_test_support::aws::{Aws, CONTAINER_TOKEN, REGION, WEB_IDENTITY, credentials};
use backup_test_support::engine::Kind;
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::memory::{PREFIX, engine_with_installation_of};

use crate::fixture::{delete, is_gone, options_at};

/// A name with much to encode, in a path that is encoded once more where it is signed.
const REPOSITORY: &str = "back+ups-ü=@:";
const AN_HOUR: Duration = Duration::from_secs(3600);

async fn aws(lifetime: Duration) -> Result<Aws> {
    let engine = engine_with_installation_of(Dialect::OpenSearch2_19, REPOSITORY);
    engine.write_within(Duration::from_millis(10));
    Aws::start(Arc::new(engine), lifetime).await
}

/// A host that signs, and does not look for the metadata of an instance.
fn options_without_region(aws: &Aws) -> HostOptions {
    options_at(Kind::OpenSearch, aws.url(), aws.url(), REPOSITORY, PREFIX)
        .env("CAMUNDA_OPTIMIZE_OPENSEARCH_AWS_ENABLED", "true")
        .env("AWS_EC2_METADATA_DISABLED", "true")
}

fn options(aws: &Aws) -> HostOptions {
    options_without_region(aws).env("AWS_REGION", REGION)
}

fn with_container(aws: &Aws) -> HostOptions {
    in_container(options(aws), aws)
}

fn with_variables(aws: &Aws) -> HostOptions {
    let [key, secret, token] = credentials(0);
    options(aws).env("AWS_ACCESS_KEY_ID", &key).env("AWS_SECRET_ACCESS_KEY", &secret).env("AWS_SESSION_TOKEN", &token)
}

fn in_container(options: HostOptions, aws: &Aws) -> HostOptions {
    options
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{}credentials", aws.url()))
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN)
}

/// Makes a backup, lists and deletes it: all requests that there are.
async fn use_it(host: &Host) -> Result<()> {
    let reply = host.create(7).await?;
    assert_eq!(reply.status, 202, "{}", reply.text);
    host.wait_for_state(7, "COMPLETE").await?;
    assert!(host.get("/actuator/backups").await?.text.contains("\"COMPLETE\""));
    assert_eq!(host.get("/actuator/health/readiness").await?.status, 200);
    delete(host, 7).await?;
    assert!(is_gone(host, 7).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn every_request_is_signed_with_the_containers_credentials() -> Result<()> {
    let aws = aws(AN_HOUR).await?;
    use_it(&Host::start(with_container(&aws)).await?).await?;
    let seen = aws.seen();
    assert_eq!((seen.issued, seen.refused), (1, Vec::<String>::new()));
    assert!(seen.accepted.len() > 10, "{:?}", seen.accepted);
    Ok(())
}

#[tokio::test]
async fn credentials_that_expire_soon_are_renewed() -> Result<()> {
    let aws = aws(Duration::from_secs(100)).await?;
    use_it(&Host::start(with_container(&aws)).await?).await?;
    let seen = aws.seen();
    assert_eq!(seen.refused, Vec::<String>::new());
    // As many as there were requests, since these begin to be renewed before they are handed out.
    assert_eq!(seen.accepted.last(), Some(&credentials(seen.issued)[0].clone()));
    assert!(seen.issued > 10, "{}", seen.issued);
    Ok(())
}

#[tokio::test]
async fn a_service_account_gets_credentials_from_sts() -> Result<()> {
    let aws = aws(AN_HOUR).await?;
    let directory = tempfile::tempdir()?;
    let token = directory.path().join("token");
    std::fs::write(&token, WEB_IDENTITY)?;
    let options = options(&aws)
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &token.display().to_string())
        .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/optimize-backup")
        .env("AWS_ENDPOINT_URL_STS", &format!("{}sts/", aws.url()));
    use_it(&Host::start(options).await?).await?;
    let seen = aws.seen();
    assert_eq!((seen.issued, seen.refused), (1, Vec::<String>::new()));
    Ok(())
}

#[tokio::test]
async fn credentials_can_be_variables() -> Result<()> {
    let aws = aws(AN_HOUR).await?;
    use_it(&Host::start(with_variables(&aws)).await?).await?;
    let seen = aws.seen();
    assert_eq!((seen.issued, seen.refused), (0, Vec::<String>::new()));
    Ok(())
}

#[tokio::test]
async fn credentials_are_never_logged() -> Result<()> {
    let aws = aws(AN_HOUR).await?;
    for options in [with_variables(&aws), with_container(&aws)] {
        let host = Host::start(options.env("CAMUNDA_OPTIMIZE_BACKUP_LOG_LEVEL", "trace")).await?;
        use_it(&host).await?;
        let output = host.output()?;
        assert!(output.contains("TRACE"), "nothing is traced");
        for number in 0..=aws.seen().issued {
            let [_, secret, token] = credentials(number);
            for text in [secret, token, CONTAINER_TOKEN.to_owned()] {
                let line = output.lines().find(|line| line.contains(&text));
                assert_eq!(line, None);
            }
        }
    }
    Ok(())
}

/// What a POST, the list and the readiness tell, which must be the same.
async fn assert_told(host: &Host, text: &str) -> Result<()> {
    let replies = [
        (502, host.create(7).await?),
        (502, host.get("/actuator/backups").await?),
        (503, host.get("/actuator/health/readiness").await?),
    ];
    for (status, reply) in replies {
        assert_eq!(reply.status, status, "{}", reply.text);
        assert!(reply.text.contains(text), "{}", reply.text);
    }
    assert_eq!(host.get("/actuator/health/liveness").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn without_credentials_it_says_where_it_has_looked() -> Result<()> {
    let aws = aws(AN_HOUR).await?;
    let host = Host::start(options(&aws)).await?;
    assert_told(&host, "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN").await?;
    // Nothing is sent unsigned.
    let seen = aws.seen();
    assert_eq!((seen.accepted, seen.refused), (Vec::new(), Vec::<String>::new()));
    Ok(())
}

#[tokio::test]
async fn without_a_region_it_says_so() -> Result<()> {
    let aws = aws(AN_HOUR).await?;
    let host = Host::start(in_container(options_without_region(&aws), &aws)).await?;
    assert_told(&host, "needs AWS's region: set AWS_REGION").await
}

#[tokio::test]
async fn what_aws_refuses_is_told() -> Result<()> {
    let aws = aws(AN_HOUR).await?;
    let host = Host::start(with_container(&aws).env("AWS_REGION", "us-east-1")).await?;
    let reply = host.create(7).await?;
    assert!(reply.status >= 400 && reply.text.contains("403"), "{} {}", reply.status, reply.text);
    assert!(aws.seen().refused.iter().all(|refusal| refusal.contains("another scope")), "{:?}", aws.seen().refused);
    Ok(())
}
