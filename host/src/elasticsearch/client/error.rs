use std::path::PathBuf;

use crate::settings::InvalidValue;

/// Why the settings give no client. No text holds a credential.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the node `{node}` cannot stand in a URL: {reason}")]
    InvalidHost { node: String, reason: String },
    #[error("a secret cannot be read again: {0}")]
    Secret(#[from] InvalidValue),
    #[error("the proxy `{proxy}` cannot stand in a URL: {reason}")]
    Proxy { proxy: String, reason: String },
    #[error("the certificate file `{path}` cannot be read: {source}")]
    UnreadableCertificate { path: PathBuf, source: std::io::Error },
    #[error(
        "the certificate file `{path}` holds no PEM certificate, which begins with `-----BEGIN CERTIFICATE-----`: convert it, for example with `openssl x509` or `openssl pkcs12`"
    )]
    NoCertificate { path: PathBuf },
    #[error("the certificate file `{path}` holds a certificate that cannot be read: {reason}")]
    InvalidCertificate { path: PathBuf, reason: String },
    #[error(
        "TLS cannot be set up: {reason}; install the system's CA certificates or set `security.ssl.certificate_authorities`"
    )]
    Tls { reason: String },
}
