//! A server elsewhere, over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use backup_elasticsearch::ConnectError;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Identity, RequestBuilder, redirect};

use super::address::ServerUrl;
use super::answer::{Answer, ReadError};
use super::error::ClientError;
use super::options::ServerOptions;
use super::request::ApiRequest;
use super::{ClientOptionsError, token};
use crate::elasticsearch::{self, of_connect, root_cause};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const USER_AGENT: &str = concat!("optimize-backup-cli/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One server, as the options name it.
pub(in crate::cli) struct RemoteServer {
    http: reqwest::Client,
    server: ServerUrl,
    token_file: Option<PathBuf>,
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, ClientOptionsError> {
    let certificates = elasticsearch::read_certificates(file).map_err(ClientOptionsError::Authorities)?;
    let authorities = certificates.iter().map(|certificate| Certificate::from_der(certificate));
    authorities.collect::<Result<_, _>>().map_err(|error| ClientOptionsError::Tls(root_cause(&error)))
}

/// The client's certificate with its key, as one text.
fn identity(certificate: &Path, key: &Path) -> Result<Identity, ClientOptionsError> {
    let of = |option, error: String| ClientOptionsError::Identity { option, error };
    let read = |option, file: &Path| {
        fs::read(file).map_err(|error| of(option, format!("the file `{}` cannot be read: {error}", file.display())))
    };
    let (mut text, key) = (read("--certificate-file", certificate)?, read("--private-key-file", key)?);
    text.push(b'\n');
    text.extend(key);
    Identity::from_pem(&text).map_err(|error| of("--certificate-file, --private-key-file", root_cause(&error)))
}

impl RemoteServer {
    /// Reads authorities and certificate; does not connect.
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
        let builder = match options.certificate_file.as_deref().zip(options.private_key_file.as_deref()) {
            Some((certificate, key)) => builder.identity(identity(certificate, key)?),
            None => builder,
        };
        // Elsewhere the proxies of the environment count, as for other tools.
        let builder = if server.is_local() { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| ClientOptionsError::Tls(root_cause(&error)))?;
        Ok(Self { http, server, token_file: options.token_file })
    }

    pub(super) async fn send(&self, request: ApiRequest) -> Result<Answer, ClientError> {
        let request = match &self.token_file {
            Some(file) => self.build(request).header(AUTHORIZATION, token::authorization(file)?),
            None => self.build(request),
        };
        let response = request.send().await.map_err(|error| self.sending_failed(&error))?;
        let answer = Answer::read(self.server.to_string(), response).await;
        answer.map_err(|error| match error {
            ReadError::Interrupted(error) => self.sending_failed(&error),
            ReadError::TooLarge => self.no_answer(error.to_string()),
        })
    }

    fn build(&self, ApiRequest { method, path, query, body, timeout }: ApiRequest) -> RequestBuilder {
        let mut url = self.server.join(&path);
        url.set_query(query.as_deref());
        let request = self.http.request(method, url).timeout(timeout);
        match body {
            Some(body) => request.header(CONTENT_TYPE, JSON).body(body),
            None => request,
        }
    }

    fn sending_failed(&self, error: &reqwest::Error) -> ClientError {
        if error.is_connect() {
            let cause = of_connect(error);
            let can_pass = matches!(cause, ConnectError::Refused | ConnectError::Timeout | ConnectError::Closed(_));
            return ClientError::NoConnection { server: self.server.to_string(), reason: explain(&cause), can_pass };
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
        ConnectError::Refused => {
            "connection refused: check that the server runs, and --url; where none runs, use --local".to_owned()
        }
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
