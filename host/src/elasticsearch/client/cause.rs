//! Sorts the errors of reqwest and rustls into [`ConnectError`].

use std::error::Error;
use std::io::{self, ErrorKind};

use backup_elasticsearch::ConnectError;
use rustls::CertificateError;

/// Why a connection could not be made.
pub(crate) fn of_connect(error: &reqwest::Error) -> ConnectError {
    if let Some(tls) = find::<rustls::Error>(error) {
        return of_tls(tls);
    }
    if error.is_dns() {
        return ConnectError::Dns(root(error));
    }
    if error.is_timeout() {
        return ConnectError::Timeout;
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => ConnectError::Refused,
        Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => ConnectError::Closed(root(error)),
        _ => ConnectError::Other(root(error)),
    }
}

/// Why a connection through a proxy could not be made: the proxy's fault, or that of a node which was reached through it.
pub(super) fn of_connect_through_proxy(error: &reqwest::Error, node_speaks_tls: bool) -> ConnectError {
    const TUNNEL: &str = "tunnel error: ";
    let tunnel = chain(error).find_map(|error| error.to_string().strip_prefix(TUNNEL).map(str::to_owned));
    let reason = match (tunnel.as_deref(), of_connect(error)) {
        // The tunnel is there, and the handshake with the node failed in it.
        (None, cause) if node_speaks_tls && cause != ConnectError::Timeout => return cause,
        (Some("proxy authorization required"), _) => return proxy_asks_for_a_user(),
        (Some(text), _) if !text.starts_with("failed to create underlying connection") => {
            return ConnectError::Proxy(format!("makes no connection to it: {text}"));
        }
        (_, ConnectError::Refused) => "connection refused".to_owned(),
        (_, ConnectError::NotTls(reason)) => format!("it does not speak TLS: `connection.proxy.sslEnabled` ({reason})"),
        (_, cause) => cause.to_string(),
    };
    ConnectError::Proxy(format!("cannot be reached: {reason}"))
}

pub(super) fn proxy_asks_for_a_user() -> ConnectError {
    ConnectError::Proxy("asks for a user, or refuses this one: `connection.proxy.username`".to_owned())
}

/// The innermost error's text: the ones around it only say that something went wrong.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

fn of_tls(error: &rustls::Error) -> ConnectError {
    match error {
        rustls::Error::InvalidCertificate(reason) => of_certificate(reason),
        rustls::Error::InvalidMessage(_) => ConnectError::NotTls(error.to_string()),
        _ => ConnectError::Tls(error.to_string()),
    }
}

fn of_certificate(reason: &CertificateError) -> ConnectError {
    let case = match reason {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => ConnectError::UntrustedCertificate,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => ConnectError::ExpiredCertificate,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => ConnectError::FutureCertificate,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ConnectError::OtherHostsCertificate
        }
        _ => ConnectError::UnusableCertificate,
    };
    case(reason.to_string())
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| inner(error))
}

fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    // An io::Error leaves the error that it wraps out of its sources.
    match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
