use std::path::PathBuf;

/// Why a client cannot be made: a fault of the configuration. No text holds a credential.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is nothing to connect to.
    #[error("no node of the engine is configured: set `connection.nodes`")]
    NoNodes,
    /// A node's host is something else, such as a URL.
    #[error("`{host}` is not a host name or address: give it without scheme, port and path")]
    InvalidHost {
        /// The configured host.
        host: String,
    },
    /// The header of basic authentication has no way to say it.
    #[error(
        "the user name for the engine holds a colon or a control character, which basic authentication does not allow"
    )]
    InvalidUsername,
    /// The key cannot be put into a header.
    #[error(
        "the API key for the engine holds a line break or another character that no key has: use the field `encoded` of the answer that created it"
    )]
    InvalidApiKey,
    /// A certificate authority's file cannot be read.
    #[error("the certificate authority `{path}` cannot be read: {source}")]
    UnreadableAuthority {
        /// The configured file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A certificate authority's file is not PEM, or holds only a key.
    #[error(
        "the certificate authority `{path}` holds no PEM certificate, which begins with `-----BEGIN CERTIFICATE-----`: convert it, for example with `openssl x509` or `openssl pkcs12`"
    )]
    NoCertificate {
        /// The configured file.
        path: PathBuf,
    },
    /// A certificate in the file is damaged.
    #[error("the certificate authority `{path}` holds a certificate that cannot be read: {reason}")]
    InvalidCertificate {
        /// The configured file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up, usually because the operating system has no certificates.
    #[error(
        "TLS cannot be set up: {reason}; install the system's CA certificates or set `security.ssl.certificate_authorities`"
    )]
    Tls {
        /// What the TLS library says.
        reason: String,
    },
}
