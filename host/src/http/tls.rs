//! TLS on the port: its own certificate, and those that callers need.

mod name;
#[cfg(test)]
pub(super) mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{CertificateError, Error, InconsistentKeys, RootCertStore, ServerConfig};

use crate::elasticsearch::{ClientError, read_certificates};
use crate::rotation::Rotating;
use crate::settings::ServerTls;

pub(super) use name::of_client;

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
pub struct PortTls(Arc<Rotating<Arc<ServerConfig>>>);

impl PortTls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`], also for a certificate that has expired.
    pub fn new(tls: ServerTls) -> Result<Self, TlsError> {
        let files = [&tls.certificate, &tls.private_key].into_iter().chain(&tls.trust_certificate);
        let files = files.cloned().collect();
        let config =
            Rotating::new("the certificate of the port (management.server.ssl)", files, move |_| config(&tls))?;
        Ok(Self(Arc::new(config)))
    }

    /// Looks for other certificates in the files, in the background.
    pub fn keep_looking(&self) {
        self.0.keep_looking();
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.current())
    }

    #[cfg(test)]
    pub(super) fn look(&self) {
        self.0.look();
    }
}

fn config(tls: &ServerTls) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = read_certificates(&tls.certificate).map_err(TlsError::Certificate)?;
    if let Some(problem) = chain.first().and_then(|certificate| wrong_dates(certificate, &provider)) {
        return Err(TlsError::Dates { path: tls.certificate.clone(), problem });
    }
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
    Ok(Arc::new(config))
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

/// The dates are what is looked at first in a certificate: whoever signed it is not asked for here.
fn wrong_dates(certificate: &CertificateDer<'_>, provider: &CryptoProvider) -> Option<String> {
    let at = |time: UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
    };
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let (nobody, algorithms) = (RootCertStore::empty(), provider.signature_verification_algorithms.all);
    match verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], UnixTime::now(), algorithms) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Some(format!("has expired, on {}", at(not_after)))
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
            Some(format!("is not valid before {}", at(not_before)))
        }
        _ => None,
    }
}
