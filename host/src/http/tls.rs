//! TLS on the port: its own certificate, and those that callers need.

mod dates;
mod name;
#[cfg(test)]
pub(super) mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};
use tokio::time::Instant;

use crate::elasticsearch::{ClientError, read_certificates};
use crate::metrics::Metrics;
use crate::rotation::Rotating;
use crate::settings::ServerTls;

pub(super) use name::of_client;

/// How often the metrics are told when the certificate expires.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);
const WARNING_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Why the port cannot speak TLS with these files: a line that begins with the setting.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("management.server.ssl.certificate: {0}")]
    Certificate(ClientError),
    #[error("management.server.ssl.certificate: the certificate in `{path}` {problem}")]
    Dates { path: PathBuf, problem: String },
    #[error("management.server.ssl.certificate-private-key: the file `{path}` {problem}")]
    Key { path: PathBuf, problem: String },
    #[error("management.server.ssl.trust-certificate: {0}")]
    Trust(ClientError),
    #[error("management.server.ssl: {0}")]
    Other(String),
}

/// What connections are begun with; made again when one of its files changes.
pub struct PortTls(Arc<Rotating<Port>>);

struct Port {
    config: Arc<ServerConfig>,
    /// When the certificate expires; `None` for one that does not tell.
    expires: Option<Timestamp>,
}

impl PortTls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`], also for a certificate that has expired.
    pub fn new(tls: ServerTls) -> Result<Self, TlsError> {
        let files = [&tls.certificate, &tls.private_key].into_iter().chain(&tls.trust_certificate);
        let files = files.cloned().collect();
        let config = Rotating::new("the certificate of the port (management.server.ssl)", files, move |_| port(&tls))?;
        Ok(Self(Arc::new(config)))
    }

    /// Looks for other certificates in the files, in the background.
    pub fn keep_looking(&self) {
        self.0.keep_looking();
    }

    /// When the certificate expires, if it tells.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.0.current().expires
    }

    /// Tells when the certificate expires: in the metrics, and once a day in the log when that is soon.
    pub async fn tell_expiry(self: Arc<Self>, metrics: Arc<Metrics>) {
        let mut last_warning: Option<Instant> = None;
        loop {
            let expires = self.expires();
            metrics.http.certificate_expires(expires);
            let is_due = last_warning.is_none_or(|last| last.elapsed() >= WARNING_INTERVAL);
            if let Some(expires) = expires.filter(|expires| is_due && dates::is_soon(*expires, Timestamp::now())) {
                tracing::warn!(%expires, "the certificate of the port (management.server.ssl.certificate) expires soon");
                last_warning = Some(Instant::now());
            }
            tokio::time::sleep(EXPIRY_INTERVAL).await;
        }
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.current().config)
    }

    #[cfg(test)]
    pub(super) fn look(&self) {
        self.0.look();
    }
}

fn port(tls: &ServerTls) -> Result<Port, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = read_certificates(&tls.certificate).map_err(TlsError::Certificate)?;
    if let Some(problem) = chain.first().and_then(|certificate| dates::problem(certificate, &provider)) {
        return Err(TlsError::Dates { path: tls.certificate.clone(), problem });
    }
    let expires = chain.first().and_then(|certificate| dates::expiry(certificate, &provider));
    let key = read_key(&tls.private_key)?;
    let callers = callers(tls.trust_certificate.as_deref(), &provider)?;
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| TlsError::Other(error.to_string()))?;
    let config = builder.with_client_cert_verifier(callers).with_single_cert(chain, key);
    let mut config = config.map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            key_error(&tls.private_key, "holds the key of another certificate than management.server.ssl.certificate")
        }
        other => key_error(&tls.private_key, &format!("holds a key that cannot be used: {other}")),
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Port { config: Arc::new(config), expires })
}

/// Those who send a certificate need one of these authorities. Whether one has to be sent is not decided here: probes have none.
fn callers(trust: Option<&Path>, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let Some(path) = trust else { return Ok(WebPkiClientVerifier::no_client_auth()) };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read_certificates(path).map_err(TlsError::Trust)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    verifier.allow_unauthenticated().build().map_err(|error| TlsError::Other(error.to_string()))
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::Io(error) => key_error(path, &format!("cannot be read: {error}")),
        pem::Error::NoItemsFound => {
            key_error(path, "holds no key in PEM, which begins with `-----BEGIN PRIVATE KEY-----` and has no password")
        }
        other => key_error(path, &format!("cannot be read: {other}")),
    })
}

fn key_error(path: &Path, problem: &str) -> TlsError {
    TlsError::Key { path: path.to_owned(), problem: problem.to_owned() }
}
