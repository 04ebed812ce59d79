use backup_core::Method;

use crate::bindings::wasi::http::types::ErrorCode;

/// Why a request has no answer, in an operator's words.
pub(crate) enum Cause {
    /// Nothing was sent.
    NoConnection(String),
    /// Something may have been sent.
    Other(String),
}

impl Cause {
    /// What a host says before anything is sent is no connection; of all else nobody can tell.
    ///
    /// An exception is the time for connecting. Node knows none, and tells it of an answer that took as long:
    /// a write may have arrived.
    pub(crate) fn of(code: &ErrorCode, method: Method) -> Self {
        let told = format!("{code:?}");
        Self::NoConnection(match code {
            ErrorCode::ConnectionTimeout if method != Method::Get => return Self::Other(told),
            ErrorCode::ConnectionRefused => {
                "connection refused: is the engine running, and is this its HTTP port?".to_owned()
            }
            ErrorCode::ConnectionTimeout => "no connection within the connect timeout".to_owned(),
            ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
                format!("the host name cannot be resolved: {told}")
            }
            ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
                format!("TLS failed: {told}")
            }
            ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => {
                format!("the host of this component does not allow it: {told}")
            }
            ErrorCode::DestinationUnavailable
            | ErrorCode::DestinationIpUnroutable
            | ErrorCode::ConnectionLimitReached
            | ErrorCode::HttpRequestUriInvalid => told,
            _ => return Self::Other(told),
        })
    }
}
