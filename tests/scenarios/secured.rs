//! Engines with authentication, and TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::installation::{Installation, unique_prefix};
use backup_test_support::repository::Repository;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tempfile::NamedTempFile;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::fixture::{Fixture, address_variables, options};
use crate::servers::is_native;
use crate::{in_host, on_elasticsearch};

in_host!(wasmtime: only_the_right_password_opens_it);

on_elasticsearch!(certificates_are_checked_and_faults_named);

mod passwords {
    use super::only_the_right_password_opens_it;
    use crate::on_engine;

    on_engine!(elasticsearch_8_19 is ELASTICSEARCH: only_the_right_password_opens_it);
    on_engine!(elasticsearch_7_17 is ELASTICSEARCH_7_17: only_the_right_password_opens_it);
    on_engine!(elasticsearch_9_2 is ELASTICSEARCH_9_2: only_the_right_password_opens_it);
    on_engine!(opensearch_2_19 is OPENSEARCH_SECURED: only_the_right_password_opens_it);
}

async fn only_the_right_password_opens_it(distribution: Distribution) -> Result<()> {
    const PASSWORD: &str = "pass: \"wörd\" #1";
    const WRONG: &str = "wrong-and-never-shown";
    let engine = Engine::start_secured(distribution, PASSWORD).await?;
    let repository = Repository::register(&engine).await?;
    let installation = Installation::minimal(&engine, &unique_prefix()).await?;
    let options = options(&engine, repository.name(), installation.prefix());
    let variable = |name: &str| format!("CAMUNDA_OPTIMIZE_{}_{name}", engine.kind().name().to_uppercase());
    let login = |password: &str| {
        options.clone().env(&variable("SECURITY_USERNAME"), "elastic").env(&variable("SECURITY_PASSWORD"), password)
    };

    for refused in [options.clone(), login(WRONG)] {
        let host = Host::start(refused.env("CAMUNDA_OPTIMIZE_BACKUP_LOG_LEVEL", "trace")).await?;
        let reply = host.create(1).await?;
        assert_eq!((reply.status, &reply.json()?["errorCode"]), (500, &"engineAccessDenied".into()), "{}", reply.text);
        assert!(reply.text.contains("401"), "{}", reply.text);
        let health = host.get("/actuator/health").await?;
        assert_eq!(health.status, 503);
        let engine = &health.json()?["components"]["engine"];
        assert_eq!(engine["status"], "DOWN", "{engine}");
        assert!(engine["details"]["error"].as_str().is_some_and(|error| error.contains("credentials")), "{engine}");
        let output = if is_native() { host.output()? } else { String::new() };
        for text in [reply.text, health.text, output] {
            // Base64 of the pair, as it goes over the wire.
            assert!(!text.contains(WRONG) && !text.contains("ZWxhc3RpYzp3cm9uZy"), "a secret is shown: {text}");
        }
    }
    assert!(repository.snapshots().await?.is_empty());

    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), format!("{PASSWORD}\n"))?;
    let by_file = options
        .clone()
        .env(&variable("SECURITY_USERNAME"), "elastic")
        .env(&variable("SECURITY_PASSWORD_FILE"), &file.path().display().to_string());
    // There are no files in other hosts.
    let accepted = if is_native() { vec![login(PASSWORD), by_file] } else { vec![login(PASSWORD)] };
    for (id, accepted) in (1..).zip(accepted) {
        let host = Host::start(accepted).await?;
        host.create(id).await?;
        host.wait_for_state(id, "COMPLETE").await?;
    }
    Ok(())
}

async fn certificates_are_checked_and_faults_named(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let (ours, other) = (Authority::new()?, Authority::new()?);
    let valid = ours.serve(&fixture.engine, 2090).await?;
    let expired = ours.serve(&fixture.engine, 2001).await?;

    let host = Host::start(https(&fixture, valid, &ours)).await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;

    for (address, authority, cause) in
        [(valid, &other, "not trusted"), (expired, &ours, "expired"), (plain_address(&fixture)?, &ours, "TLS")]
    {
        let host = Host::start(https(&fixture, address, authority)).await?;
        let reply = host.create(2).await?;
        assert_eq!((reply.status, &reply.json()?["errorCode"]), (502, &"engineUnreachable".into()), "{}", reply.text);
        assert!(reply.text.contains(cause), "{cause} is not in: {}", reply.text);
    }
    Ok(())
}

fn plain_address(fixture: &Fixture) -> Result<SocketAddr> {
    let port = fixture.engine.client().url().port().context("a port")?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// A host that speaks TLS with the engine at `address` and trusts one authority.
fn https(fixture: &Fixture, address: SocketAddr, authority: &Authority) -> HostOptions {
    let file = authority.file.path().display().to_string();
    let name = fixture.engine.kind().name().to_uppercase();
    let [host, port] = address_variables(fixture.engine.kind());
    fixture
        .options()
        .env(host, "127.0.0.1")
        .env(port, &address.port().to_string())
        .env(&format!("CAMUNDA_OPTIMIZE_{name}_SSL_ENABLED"), "true")
        .env(&format!("CAMUNDA_OPTIMIZE_{name}_SECURITY_SSL_CERTIFICATE_AUTHORITIES"), &file)
}

/// A private certificate authority.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(crate) file: NamedTempFile,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let file = NamedTempFile::new()?;
        std::fs::write(file.path(), issuer.pem())?;
        Ok(Self { issuer, file })
    }

    /// Puts TLS in front of the engine, with a certificate that is valid until a year.
    pub(crate) async fn serve(&self, engine: &Engine, until: i32) -> Result<SocketAddr> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let port = engine.client().url().port().context("a port")?;
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(forward(acceptor.clone(), connection, port));
            }
        });
        Ok(address)
    }
}

async fn forward(acceptor: TlsAcceptor, connection: TcpStream, port: u16) -> Result<()> {
    let mut connection = acceptor.accept(connection).await?;
    let mut engine = TcpStream::connect(("127.0.0.1", port)).await?;
    tokio::io::copy_bidirectional(&mut connection, &mut engine).await?;
    Ok(())
}
