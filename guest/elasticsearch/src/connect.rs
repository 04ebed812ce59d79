/// Why no connection to a node could be made, with what an operator can do about it.
///
/// Each HTTP client has errors of its own: a host sorts them into these cases and adds the client's text.
#[allow(missing_docs, reason = "each case is explained by its message")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    #[error("the host name cannot be resolved: {0}")]
    Dns(String),
    #[error("no connection within the connect timeout")]
    Timeout,
    #[error("connection refused: is the search engine running, and is this its HTTP port?")]
    Refused,
    #[error("the proxy {0}")]
    Proxy(String),
    #[error("the connection was closed before it was ready: {0}")]
    Closed(String),
    #[error("this port does not speak TLS: check the port and `security.ssl.enabled` ({0})")]
    NotTls(String),
    #[error("TLS failed: {0}")]
    Tls(String),
    #[error(
        "its certificate is not trusted: set `security.ssl.certificate_authorities` to the PEM file of the authority that signed it, or `security.ssl.certificate` to its own ({0})"
    )]
    UntrustedCertificate(String),
    #[error("its certificate has expired ({0})")]
    ExpiredCertificate(String),
    #[error("its certificate is not valid yet: check both clocks ({0})")]
    FutureCertificate(String),
    #[error("its certificate is for another host: configure one of the names in it ({0})")]
    OtherHostsCertificate(String),
    #[error("its certificate cannot be used ({0})")]
    UnusableCertificate(String),
    #[error("the host of this component does not allow it: {0}")]
    Forbidden(String),
    #[error("{0}")]
    Other(String),
}
