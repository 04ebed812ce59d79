//! The port: TLS and tokens, as the command line meets them, and its end. No search engine is needed for that.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use backup_test_support::host::{Host, HostOptions};
use backup_test_support::poll_until;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::{TempDir, tempdir};
use tokio::process::Command;

use crate::fixture::bare_options;

const TOKEN: &str = "open-sesame-open-sesame";
const TIMEOUT: Duration = Duration::from_secs(60);
/// The statuses of the command line.
const WRONG_USAGE: i32 = 2;
const ENGINE_UNREACHABLE: i32 = 6;
const NOT_AUTHORIZED: i32 = 7;

/// Files of a port, each with a name.
struct Files(TempDir);

impl Files {
    fn new() -> Result<Self> {
        let files = Self(tempdir()?);
        files.renew("127.0.0.1")?;
        fs::write(files.path("token"), TOKEN)?;
        fs::write(files.path("other-token"), "close-sesame-close-sesame")?;
        Ok(files)
    }

    /// Another certificate, which has signed itself, and its key.
    fn renew(&self, name: &str) -> Result<()> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec![name.to_owned()])?;
        fs::write(self.path("tls.key"), signing_key.serialize_pem())?;
        fs::write(self.path("tls.crt"), cert.pem())?;
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn options(&self) -> HostOptions {
        bare_options()
            .env("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", "backups")
            .env("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", "1")
            .env("MANAGEMENT_SERVER_ADDRESS", "127.0.0.1")
            .env("MANAGEMENT_SERVER_SSL_CERTIFICATE", &self.path("tls.crt"))
            .env("MANAGEMENT_SERVER_SSL_CERTIFICATE_PRIVATE_KEY", &self.path("tls.key"))
            .env("CAMUNDA_OPTIMIZE_BACKUP_READER_TOKEN_FILE", &self.path("token"))
    }

    /// The status of `backup list` with this token.
    async fn list(&self, host: &Host, token: &str, authority: &str) -> Result<i32> {
        Ok(self.list_with(host, token, authority, &[]).await?.0)
    }

    /// The same with more options, and what it complains of.
    async fn list_with(&self, host: &Host, token: &str, authority: &str, more: &[&str]) -> Result<(i32, String)> {
        let url = host.url().as_str().replace("http:", "https:");
        let output = Command::new(Path::new(env!("CARGO_BIN_EXE_optimize-backup")))
            .args(["backup", "list", "--url", &url, "--ca-file", authority, "--token-file", &self.path(token)])
            .args(more)
            .env_clear()
            .output();
        let output = output.await?;
        Ok((output.status.code().context("a signal")?, String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

#[tokio::test]
async fn it_speaks_tls_and_knows_callers_by_their_tokens() -> Result<()> {
    let files = Files::new()?;
    let host = Host::start(files.options()).await?;
    let authority = files.path("tls.crt");
    assert_eq!(files.list(&host, "token", &authority).await?, ENGINE_UNREACHABLE, "the server has answered");
    assert_eq!(files.list(&host, "other-token", &authority).await?, NOT_AUTHORIZED);

    files.renew("127.0.0.1")?;
    fs::copy(files.path("other-token"), files.path("token"))?;
    let is_renewed =
        async || Ok((files.list(&host, "other-token", &authority).await? == ENGINE_UNREACHABLE).then_some(()));
    poll_until("the new certificate and the new token", TIMEOUT, is_renewed).await
}

#[tokio::test]
async fn the_command_line_has_a_certificate_where_one_is_demanded() -> Result<()> {
    let (files, clients) = (Files::new()?, Files::new()?);
    let demanding = files.options().env("MANAGEMENT_SERVER_SSL_TRUST_CERTIFICATE", &clients.path("tls.crt"));
    let host = Host::start(demanding).await?;
    let authority = files.path("tls.crt");
    assert_eq!(files.list(&host, "token", &authority).await?, NOT_AUTHORIZED);
    let (certificate, key) = (clients.path("tls.crt"), clients.path("tls.key"));
    let own = ["--certificate-file", &certificate, "--private-key-file", &key];
    let (status, told) = files.list_with(&host, "token", &authority, &own).await?;
    assert!(status == ENGINE_UNREACHABLE && told.contains("[engineUnreachable]"), "the server has answered: {told}");
    let (strange, strange_key) = (files.path("tls.crt"), files.path("tls.key"));
    let strange = ["--certificate-file", &strange, "--private-key-file", &strange_key];
    let (status, told) = files.list_with(&host, "token", &authority, &strange).await?;
    assert!(status == ENGINE_UNREACHABLE && !told.contains("[engineUnreachable]"), "there is no handshake: {told}");
    let torn = ["--certificate-file", &certificate, "--private-key-file", &files.path("token")];
    let (status, told) = files.list_with(&host, "token", &authority, &torn).await?;
    assert!(status == WRONG_USAGE && told.contains("--private-key-file"), "{told}");
    Ok(())
}

/// A probe needs the status; names and reasons are for callers.
#[tokio::test]
async fn strangers_are_told_no_more_than_the_status() -> Result<()> {
    let files = Files::new()?;
    let options = bare_options().env("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", "1");
    let host = Host::start(options.env("CAMUNDA_OPTIMIZE_BACKUP_READER_TOKEN_FILE", &files.path("token"))).await?;
    let stranger = host.get("/actuator/health/readiness").await?;
    assert_eq!((stranger.status, stranger.text.as_str()), (503, r#"{"status":"DOWN"}"#));
    let token = format!("Bearer {TOKEN}");
    let reader = host.request("GET", "/actuator/health/readiness", &[("authorization", &token)], "").await?;
    assert_eq!((reader.status, &reader.json()?["components"]["engine"]["status"]), (503, &"DOWN".into()));
    Ok(())
}

#[tokio::test]
async fn a_key_of_another_certificate_stops_the_start() -> Result<()> {
    let files = Files::new()?;
    let certificate = files.path("first.crt");
    fs::copy(files.path("tls.crt"), &certificate)?;
    files.renew("127.0.0.1")?;
    let failure = Host::start_failing(files.options().env("MANAGEMENT_SERVER_SSL_CERTIFICATE", &certificate)).await?;
    assert_eq!(failure.code, Some(1));
    let line = format!(
        "optimize-backup: management.server.ssl.certificate-private-key: the file `{}` holds the key of another certificate \
         than management.server.ssl.certificate",
        files.path("tls.key")
    );
    assert_eq!(failure.stderr.trim_end(), line);
    Ok(())
}

#[tokio::test]
async fn readiness_goes_before_the_listener_and_a_second_signal_ends_it_at_once() -> Result<()> {
    let host = Host::start(bare_options().env("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", "1")).await?;
    host.ask_to_end()?;
    let is_stopping = async || {
        let reply = host.get("/actuator/health/readiness").await?;
        Ok((reply.status == 503 && reply.text.contains("serverStopping")).then_some(reply))
    };
    let reply = poll_until("readiness to go down", TIMEOUT, is_stopping).await?;
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(host.get("/actuator/health/liveness").await?.status, 200, "the listener is still there");
    let since = Instant::now();
    assert_eq!(host.terminate().await?.code(), Some(0));
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    Ok(())
}
