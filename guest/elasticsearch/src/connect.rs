/// Why no connection to a node could be made, with what an operator can do about it.
///
/// Each HTTP client has errors of its own: a host sorts them into these cases and adds the client's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// DNS has no address for the host, or did not respond.
    #[error("the host name cannot be resolved: {0}")]
    Dns(String),
    /// The node did not accept the connection in time.
    #[error("no connection within the connect timeout")]
    Timeout,
    /// Nothing listens on the port.
    #[error("connection refused: is the engine running, and is this its HTTP port?")]
    Refused,
    /// The node ended the connection during its set-up.
    #[error("the connection was closed before it was ready: {0}")]
    Closed(String),
    /// The response to a TLS handshake is not TLS.
    #[error("this port does not speak TLS: check the port and `security.ssl.enabled` ({0})")]
    NotTls(String),
    /// The TLS handshake failed.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The certificate's authority is unknown.
    #[error(
        "its certificate is not trusted: set `security.ssl.certificate_authorities` to the PEM file of the authority that signed it ({0})"
    )]
    UntrustedCertificate(String),
    /// The certificate is too old.
    #[error("its certificate has expired ({0})")]
    ExpiredCertificate(String),
    /// The certificate begins in the future.
    #[error("its certificate is not valid yet: check both clocks ({0})")]
    FutureCertificate(String),
    /// The certificate does not have the configured name.
    #[error("its certificate is for another host: configure one of the names in it ({0})")]
    OtherHostsCertificate(String),
    /// The certificate has another error.
    #[error("its certificate cannot be used ({0})")]
    UnusableCertificate(String),
    /// The host of a component forbids the connection.
    #[error("the host of this component does not allow it: {0}")]
    Forbidden(String),
    /// Any other reason, in the client's words.
    #[error("{0}")]
    Other(String),
}
