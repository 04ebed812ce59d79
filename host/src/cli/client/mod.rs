//! A client of the API of a running server.

mod address;
mod answer;
mod error;
mod options;
#[cfg(test)]
mod tests;
mod token;

use std::path::{Path, PathBuf};
use std::time::Duration;

use backup_actuator::{BackupView, Message, RetentionView};
use backup_core::BackupId;
use backup_elasticsearch::ConnectError;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Method, RequestBuilder, StatusCode, Url, redirect};

use self::address::{InvalidUrl, ServerUrl};
use self::answer::{Answer, ReadError};
use crate::elasticsearch::{self, of_connect, root_cause};

pub(super) use self::answer::{Received, one_line};
pub(super) use self::error::ClientError;
pub(super) use self::options::ServerOptions;

const BACKUPS: &str = "/actuator/backups";
const RETENTION: &str = "/actuator/retention";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const USER_AGENT: &str = concat!("optimize-backup-cli/", env!("CARGO_PKG_VERSION"));

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than what the server gives itself for a call.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// A search engine opens the metadata of every snapshot for it.
const LIST_TIMEOUT: Duration = Duration::from_secs(600);

/// One server, as the options name it.
pub(super) struct Client {
    http: reqwest::Client,
    server: ServerUrl,
    token_file: Option<PathBuf>,
}

/// Why the options give no client.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientOptionsError {
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    #[error("--ca-file: {0}")]
    Authorities(elasticsearch::ClientError),
    #[error("TLS cannot be set up: {0}; install the system's CA certificates, or use --ca-file")]
    Tls(String),
}

/// Which backups to list, and how many of them.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) pattern: Option<String>,
    pub(super) limit: Option<u64>,
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, ClientOptionsError> {
    let certificates = elasticsearch::read_certificates(file).map_err(ClientOptionsError::Authorities)?;
    let authorities = certificates.iter().map(|certificate| Certificate::from_der(certificate));
    authorities.collect::<Result<_, _>>().map_err(|error| ClientOptionsError::Tls(root_cause(&error)))
}

impl Client {
    /// Reads the authorities; does not connect.
    pub(super) fn new(options: ServerOptions) -> Result<Self, ClientOptionsError> {
        let server = ServerUrl::parse(&options.url)?;
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(HeaderMap::from_iter([(ACCEPT, JSON)]))
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            // A POST is not to be sent twice.
            .retry(reqwest::retry::never());
        let builder = match &options.ca_file {
            Some(file) => builder.tls_certs_only(authorities(file)?),
            None if server.uses_tls() => builder,
            // A machine without any of the system's certificates can connect without TLS.
            None => builder.tls_certs_only([]),
        };
        // Elsewhere the proxies of the environment count, as for other tools.
        let builder = if server.is_local() { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| ClientOptionsError::Tls(root_cause(&error)))?;
        Ok(Self { http, server, token_file: options.token_file })
    }

    /// Has a backup made.
    pub(super) async fn create(&self, id: BackupId) -> Result<Message, ClientError> {
        let request = self.request(Method::POST, self.server.join(BACKUPS)).header(CONTENT_TYPE, JSON);
        let request = request.body(format!("{{\"backupId\":{id}}}"));
        Ok(self.send(request).await?.expect(StatusCode::ACCEPTED)?.body)
    }

    /// Shows a backup.
    pub(super) async fn get(&self, id: BackupId) -> Result<Received<BackupView>, ClientError> {
        self.send(self.request(Method::GET, self.backup(id))).await?.expect(StatusCode::OK)
    }

    /// Shows all backups, or those that are selected.
    pub(super) async fn list(&self, selection: &Selection) -> Result<Received<Vec<BackupView>>, ClientError> {
        let mut url = self.server.join(BACKUPS);
        if let Some(pattern) = &selection.pattern {
            url.query_pairs_mut().append_pair("pattern", pattern);
        }
        if let Some(limit) = selection.limit {
            url.query_pairs_mut().append_pair("limit", &limit.to_string());
        }
        self.send(self.request(Method::GET, url).timeout(LIST_TIMEOUT)).await?.expect(StatusCode::OK)
    }

    /// Has a backup deleted.
    pub(super) async fn delete(&self, id: BackupId) -> Result<(), ClientError> {
        self.send(self.request(Method::DELETE, self.backup(id))).await?.expect_nothing(StatusCode::NO_CONTENT)
    }

    /// Shows what expires. Unless it is a dry run, that is deleted.
    pub(super) async fn expire(&self, dry_run: bool) -> Result<Received<RetentionView>, ClientError> {
        let request = self.request(Method::POST, self.server.join(RETENTION)).header(CONTENT_TYPE, JSON);
        let request = request.timeout(LIST_TIMEOUT).body(format!("{{\"dryRun\":{dry_run}}}"));
        self.send(request).await?.expect(if dry_run { StatusCode::OK } else { StatusCode::ACCEPTED })
    }

    /// Why the last deletion of a backup failed, if it did so on the server that answers.
    pub(super) async fn failed_deletion(&self, id: BackupId) -> Result<Option<String>, ClientError> {
        let answer = self.send(self.request(Method::GET, self.server.join("/actuator/health"))).await?;
        // A health that is DOWN is answered with 503.
        let Some(health) = answer.json() else { return Err(answer.into_error()) };
        let reason = health.pointer(&format!("/components/deletions/details/failed/{id}"));
        Ok(reason.and_then(serde_json::Value::as_str).map(str::to_owned))
    }

    fn backup(&self, id: BackupId) -> Url {
        self.server.join(&format!("{BACKUPS}/{id}"))
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).timeout(REQUEST_TIMEOUT)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let request = match &self.token_file {
            Some(file) => request.header(AUTHORIZATION, token::authorization(file)?),
            None => request,
        };
        let response = request.send().await.map_err(|error| self.sending_failed(&error))?;
        let answer = Answer::read(self.server.to_string(), response).await;
        answer.map_err(|error| match error {
            ReadError::Interrupted(error) => self.sending_failed(&error),
            ReadError::TooLarge => self.no_answer(error.to_string()),
        })
    }

    fn sending_failed(&self, error: &reqwest::Error) -> ClientError {
        if error.is_connect() {
            return ClientError::NoConnection { server: self.server.to_string(), reason: explain(&of_connect(error)) };
        }
        if error.is_timeout() {
            return self.no_answer("the time for it is over; look at the server's log".to_owned());
        }
        let hint = if self.server.uses_tls() { "" } else { "; if it expects TLS, begin --url with https://" };
        self.no_answer(format!("{}{hint}", root_cause(error)))
    }

    fn no_answer(&self, reason: String) -> ClientError {
        ClientError::NoAnswer { server: self.server.to_string(), reason }
    }
}

/// Why there is no connection, and what to do about it on a command line.
fn explain(error: &ConnectError) -> String {
    match error {
        ConnectError::Refused => "connection refused: check that the server runs, and --url".to_owned(),
        ConnectError::Timeout => format!("nothing answers within {} s: check --url", CONNECT_TIMEOUT.as_secs()),
        ConnectError::Dns(reason) => format!("its name cannot be resolved: check --url ({reason})"),
        ConnectError::NotTls(_) => "it does not speak TLS: begin --url with http://".to_owned(),
        ConnectError::UntrustedCertificate(reason) => {
            format!("its certificate is not trusted: give the authority that signed it with --ca-file ({reason})")
        }
        ConnectError::OtherHostsCertificate(reason) => {
            format!("its certificate is for another host: use one of its names in --url ({reason})")
        }
        // Their texts name no setting.
        other => other.to_string(),
    }
}
