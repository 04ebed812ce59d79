//! Why a connection failed, in an operator's words.

use std::error::Error;
use std::io::{self, ErrorKind};

use rustls::CertificateError;

/// Why a connection could not be made.
pub(super) fn of_connect(error: &reqwest::Error) -> String {
    if let Some(tls) = find::<rustls::Error>(error) {
        return of_tls(tls);
    }
    if error.is_dns() {
        return format!("the host name cannot be resolved: {}", root(error));
    }
    if error.is_timeout() {
        return "no connection within the connect timeout".to_owned();
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => {
            "connection refused: is the engine running, and is this its HTTP port?".to_owned()
        }
        Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
            format!("the connection was closed before it was ready: {}", root(error))
        }
        _ => root(error),
    }
}

/// The innermost error's text: the ones around it only say that something went wrong.
pub(super) fn root(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

fn of_tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(refusal) => of_certificate(refusal),
        rustls::Error::InvalidMessage(_) => {
            format!("this port does not speak TLS: check the port and `security.ssl.enabled` ({error})")
        }
        _ => format!("TLS failed: {error}"),
    }
}

fn of_certificate(refusal: &CertificateError) -> String {
    match refusal {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "its certificate is not trusted: set `security.ssl.certificate_authorities` to the PEM file of the \
             authority that signed it ({refusal})"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("its certificate has expired ({refusal})")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("its certificate is not valid yet: check both clocks ({refusal})")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is for another host: configure one of the names in it ({refusal})")
        }
        _ => format!("its certificate cannot be used ({refusal})"),
    }
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
