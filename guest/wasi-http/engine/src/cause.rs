use backup_core::Method;
use backup_elasticsearch::ConnectError;
use backup_settings::Node;

use crate::bindings::wasi::http::types::ErrorCode;
use crate::client::{Failure, interrupted};

/// Sorts the errors of `wasi:http`. Those that a host has before it sends anything are connection errors; after all
/// others the request may have arrived.
///
/// An exception is the connect timeout. Node has none, and reports it when a response takes as long: a write may have
/// arrived.
pub(crate) fn of(code: &ErrorCode, method: Method, node: &Node) -> Failure {
    let text = format!("{code:?}");
    Failure::NoConnection(match code {
        ErrorCode::ConnectionRefused => ConnectError::Refused,
        ErrorCode::ConnectionTimeout if method == Method::Get => ConnectError::Timeout,
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => ConnectError::Dns(text),
        ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
            ConnectError::Tls(text)
        }
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => ConnectError::Forbidden(text),
        ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::HttpRequestUriInvalid => ConnectError::Other(text),
        _ => return Failure::Final(interrupted(node, &text)),
    })
}
